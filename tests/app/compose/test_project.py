"""Files -> one project: variables, several files, extends, include, profiles."""

from pathlib import Path

from tests.app.compose.project_files import project, write


def test_names_and_where_they_come_from(tmp_path: Path) -> None:
    (tmp_path / "My.App").mkdir()
    text = "services: {a: {image: x}}"
    assert project(tmp_path / "My.App", compose_yaml=text).name == "myapp"
    named = "name: ${N:-one}\n" + text
    assert project(tmp_path, compose_yaml=named).name == "one"
    assert project(tmp_path, {"COMPOSE_PROJECT_NAME": "two"}, compose_yaml=named).name == "two"


def test_the_environment_wins_over_the_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=file\nB=file\n")
    made = project(tmp_path, {"A": "given"}, compose_yaml="services: {s: {image: '$A-$B-$COMPOSE_PROJECT_NAME'}}")
    assert made.document["services"]["s"]["image"] == f"given-file-{made.name}"


def test_a_second_file_over_the_first(tmp_path: Path) -> None:
    first = """
    services:
      s:
        image: one
        command: a b
        environment: [A=1, B=1]
        ports: ["80:8000", "81:8001"]
        volumes: ["v:/data", "w:/other"]
        expose: ["1"]
        labels: {x: "1"}
        depends_on: [t]
        healthcheck: {test: ["CMD", "a", "b"], retries: 3}
        dns: 1.1.1.1
      t: {image: t}
    volumes: {v: , w: }
    """
    second = """
    services:
      s:
        command: ["c"]
        environment: {B: 2, C: 3}
        ports: ["80:8000", "82:8002"]
        volumes: ["x:/data"]
        expose: ["2"]
        labels: !reset {}
        depends_on: {u: {condition: service_healthy}}
        healthcheck: {test: "curl x"}
        dns: !override [2.2.2.2]
      t: !override {image: other}
    volumes: {x: }
    """
    made = project(tmp_path, a_yaml=first, b_yaml=second)
    s = made.document["services"]["s"]
    assert s["image"] == "one" and s["command"] == ["c"]
    assert s["environment"] == {"A": "1", "B": "2", "C": "3"}
    assert [p["published"] for p in s["ports"]] == [80, 81, 82]
    assert [(v["source"], v["target"]) for v in s["volumes"]] == [("x", "/data"), ("w", "/other")]
    assert s["expose"] == ["1", "2"] and "labels" not in s and list(s["depends_on"]) == ["t", "u"]
    assert s["healthcheck"] == {"test": "curl x", "retries": 3} and s["dns"] == ["2.2.2.2"]
    assert made.document["services"]["t"] == {"image": "other"} and set(made.document["volumes"]) == {"v", "w", "x"}
    assert not made.faults


def test_extends_here_and_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    write(tmp_path / "other", common_yaml="services: {base: {build: ./src, environment: {A: 1, B: 1}}}")
    made = project(
        tmp_path,
        compose_yaml="""
        services:
          a: {extends: {file: other/common.yaml, service: base}, environment: {B: 2}}
          b: {extends: a, environment: {C: 3}}
        """,
    )
    assert made.document["services"]["b"]["environment"] == {"A": "1", "B": "2", "C": "3"}
    assert made.document["services"]["a"]["build"]["context"] == str(tmp_path / "other" / "src")
    assert "extends" not in made.document["services"]["b"] and not made.faults


def test_extends_that_cannot_be(tmp_path: Path) -> None:
    made = project(tmp_path, compose_yaml="services:\n  a: {extends: b}\n  b: {extends: a}\n  c: {extends: nope}\n")
    assert [f.split(": ", 1)[1] for f in made.faults] == [
        "services.a.extends: extends itself: a -> b -> a",
        "services.b.extends: extends itself: b -> a -> b",
        f'services.c.extends: there is no service "nope" in {tmp_path / "compose.yaml"}; there are a, b, c',
    ]


def test_included_files_count_from_their_own_folder(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / ".env").write_text("V=sub\n")
    write(tmp_path / "sub", compose_yaml="services: {db: {build: ./db, environment: {V: $V}}}\nvolumes: {v: }")
    made = project(tmp_path, compose_yaml="include: [sub/compose.yaml]\nservices: {a: {image: x}}")
    assert made.document["services"]["db"]["build"]["context"] == str(tmp_path / "sub" / "db")
    assert made.document["services"]["db"]["environment"] == {"V": "sub"}
    assert "v" in made.document["volumes"] and not made.faults


def test_include_of_itself_ends(tmp_path: Path) -> None:
    made = project(tmp_path, compose_yaml="include: [compose.yaml]\nservices: {a: {image: x}}")
    assert "included twice, or includes itself" in made.faults[0]


def test_an_unknown_profile_is_told_with_the_known_ones(tmp_path: Path) -> None:
    text = "services: {a: {image: x}, b: {image: x, profiles: [dev]}, c: {image: x, profiles: [test, dev]}}"
    made = project(tmp_path, profiles=("dve", "dev", "*"), compose_yaml=text)
    assert made.warnings == ["--profile dve: no service has this profile; there are: dev, test"]
    none = project(tmp_path, profiles=("dev",), compose_yaml="services: {a: {image: x}}")
    assert none.warnings == ["--profile dev: no service has this profile; no service has a profile"]


def test_profiles(tmp_path: Path) -> None:
    text = "services: {a: {image: x}, b: {image: x, profiles: [dev]}, c: {image: x, profiles: [test]}}"
    assert list(project(tmp_path, compose_yaml=text).document["services"]) == ["a"]
    assert list(project(tmp_path, profiles=("dev",), compose_yaml=text).document["services"]) == ["a", "b"]
    assert list(project(tmp_path, {"COMPOSE_PROFILES": "dev,test"}, compose_yaml=text).document["services"]) == list(
        "abc"
    )
    assert list(project(tmp_path, profiles=("*",), compose_yaml=text).document["services"]) == list("abc")
