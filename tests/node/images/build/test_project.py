"""A Python folder read as a value: how it starts, which Python it wants."""

import pytest

from madang.dockerfile.refusal import Refused
from madang.node.images.build.project import Project, Script, base_name, is_project, project, suits


def of(*paths: str, **files: str) -> Project:
    named = {name.replace("_", "."): text for name, text in files.items()}
    return project({*paths, *named}, named.get)


HEAD = '[project]\nname = "my-shop"\nversion = "1.2"\n'


@pytest.mark.parametrize(
    ("paths", "scripts", "command"),
    [
        ((), 'serve = "shop.web:main"', ("/opt/application/bin/serve",)),
        (("main.py",), 'serve = "shop.web:main"\nmy_shop = "shop:run"', ("/opt/application/bin/my_shop",)),
        (("main.py", "app.py"), 'a = "shop.web:main"\nb = "shop:run"', ("python3", "main.py")),
        (("app.py", "shop/__main__.py"), "", ("python3", "app.py")),
        (("__main__.py", "shop/__main__.py"), "", ("python3", ".")),
        (("shop/__main__.py", "shop/deep/__main__.py"), "", ("python3", "-m", "shop")),
        (("src/shop/__main__.py", "tool/__main__.py"), "", ("python3", "-m", "shop")),
        (("other/__main__.py", "my_shop/__main__.py"), "", ("python3", "-m", "my_shop")),
        (("one/__main__.py", "two/__main__.py"), "", ()),
        (("src/main.py",), "", ()),
    ],
)
def test_how_it_starts(paths: tuple[str, ...], scripts: str, command: tuple[str, ...]) -> None:
    found = of(*paths, pyproject_toml=f"{HEAD}[project.scripts]\n{scripts}\n")
    assert found.command == command
    assert found.starts.startswith("starts ")


def test_what_it_says_of_itself_and_where_its_modules_lie() -> None:
    found = of("src/shop/cli.py", pyproject_toml=HEAD)
    assert found.metadata == "Metadata-Version: 2.1\nName: my-shop\nVersion: 1.2\n"
    assert found.search == "/app/src"
    bare = of("src/__init__.py", requirements_txt="flask")
    assert (bare.metadata, bare.search) == ("", "/app")
    assert bare.starts == (
        "starts as its base image does: no script in project.scripts, no main.py, app.py or __main__.py"
    )


def test_a_script_calls_its_function() -> None:
    said: list[object] = []
    text = Script("a", "builtins", "print").text("/usr/bin/python3").replace("sys.exit", "said.append")
    exec(compile(text, "a", "exec"), {"__name__": "__main__", "said": said})
    assert said == [None]
    assert text.startswith("#!/usr/bin/python3\n")
    assert "from a import App\n" in Script("a", "a", "App.run").text("p")


@pytest.mark.parametrize(
    ("pinned", "requires", "wanted"),
    [
        ("3.12.4\n", ">=3.9", "python:3.12-slim"),
        ("", ">=3.9", "python:3.11-slim"),
        ("", ">=3.13", "python:3.13-slim"),
        ("", "==3.9.*", "python:3.9-slim"),
        ("", "~=3.10", "python:3.10-slim"),
        ("", "<4", "python:3.11-slim"),
    ],
)
def test_the_matching_official_image(pinned: str, requires: str, wanted: str) -> None:
    files = {"pyproject.toml": f'{HEAD}requires-python = "{requires}"\n', ".python-version": pinned}
    assert base_name(project(files, files.get).python, (3, 11)) == wanted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[project", "pyproject.toml: "),
        ("project = 1", "pyproject.toml: project: expected a table"),
        ('[project]\nname = "../../etc"', 'project.name: "../../etc" is no name'),
        ('[project]\nname = "a"\nversion = "1/2"', 'project.version: "1/2" is no version'),
        ('[project.scripts]\na = "no function"', 'project.scripts.a: expected "module:function"'),
        ('[project.scripts]\n"../a" = "a:b"', r"project.scripts.../a: expected"),
    ],
)
def test_refusals(text: str, message: str) -> None:
    with pytest.raises(Refused, match=message):
        of(pyproject_toml=text)


def test_what_counts_as_a_project() -> None:
    assert is_project(["pyproject.toml"]) and is_project(["requirements.txt"]) and not is_project(["main.py"])


@pytest.mark.parametrize(
    ("asked", "version", "good"),
    [("", "3.8", True), ("3.12+", "3.11", False), ("3.9+", "3.10", True), ("3.12", "3.11", True)],
)
def test_whether_a_python_suits(asked: str, version: str, good: bool) -> None:
    assert suits(asked, version) is good
