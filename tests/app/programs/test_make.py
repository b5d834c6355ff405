"""A build folder as a program: pure parts as values, and one environment that is really made."""

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from madang.app.programs import environment
from madang.app.programs.environment import BuildError, Python, alone, key, python_for
from madang.app.programs.make import Build, added, describe, is_python, make, placed, read, reference, warnings
from madang.app.programs.source import fingerprint
from madang.app.programs.stage import Stage
from madang.ports.program import load


def folder(tmp_path: Path, **files: str) -> Path:
    place = tmp_path / "svc"
    place.mkdir(exist_ok=True)
    for name, text in files.items():
        (place / name.replace("__", ".")).write_text(text)
    return place


DOCKERFILE = 'FROM python:3.9-slim\nWORKDIR /app\nCOPY requirements.txt .\nCOPY . .\nCMD ["python", "-m", "svc"]\n'


def test_the_source_stands_where_the_dockerfile_puts_it(tmp_path: Path) -> None:
    source = folder(tmp_path, Dockerfile=DOCKERFILE)
    build = Build("svc", "shop", source)
    program = describe(build, read(build), Python("/usr/bin/python3", "3.11"), Path("/cache/env"), None)
    assert program.mounts == ((str(source), "/app"),) and program.cwd == "/app"
    assert program.path == ("/cache/env/bin",) and program.argv() == ("python", "-m", "svc")


def test_a_single_file_and_a_folder(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    stage = Stage(copies=[("etc", "/etc/app/"), ("run.py", "/srv/")])
    assert placed(tmp_path, stage) == [(str(tmp_path / "etc"), "/etc/app"), (str(tmp_path / "run.py"), "/srv/run.py")]


def test_a_folder_copied_to_the_root_stands_beside_the_machines_own(tmp_path: Path) -> None:
    for name in ("app", "etc"):
        (tmp_path / name).mkdir()
    (tmp_path / "main.py").touch()
    (tmp_path / "Dockerfile").write_text("FROM python:3\nCOPY . .\nCMD python main.py\n")
    build = Build("web", "shop", tmp_path)
    stage = read(build)
    stands = {place: origin for origin, place in placed(tmp_path, stage)}
    assert stands["/main.py"] == str(tmp_path / "main.py") and stands["/app"] == str(tmp_path / "app")
    assert "/etc" not in stands and any("/etc: it is left out" in said for said in warnings(build, stage))


def test_another_python_is_said(tmp_path: Path) -> None:
    build = Build("svc", "shop", folder(tmp_path, Dockerfile="FROM python:2.7\n"))
    assert any("wants Python 2.7" in text for text in warnings(build, read(build)))
    assert not python_for("debian:12").other


def test_a_changed_source_is_another_reference(tmp_path: Path) -> None:
    build = Build("svc", "shop", folder(tmp_path, Dockerfile=DOCKERFILE, a="1"))
    before = reference(build, read(build))
    assert before.startswith("madang.dev/build/shop/svc:") and reference(build, read(build)) == before
    (build.context / "a").write_text("2")
    assert reference(build, read(build)) != before


def test_ignored_files_do_not_count(tmp_path: Path) -> None:
    source = folder(tmp_path, __dockerignore="*.txt\n!keep.txt\n", a="1")
    before = fingerprint(source)
    (source / "x.txt").write_text("noise")
    (source / "__pycache__").mkdir()
    (source / "__pycache__" / "a.pyc").write_text("noise")
    assert fingerprint(source) == before
    (source / "keep.txt").write_text("counts")
    assert fingerprint(source) != before


def test_same_requirements_share_an_environment(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for place in (one, two):
        place.mkdir()
        (place / "requirements.txt").write_text("-r more.txt\n")
        (place / "more.txt").write_text("x==1\n")
    python = Python("python3", "3.11")
    assert key(python, one) == key(python, two)
    (two / "more.txt").write_text("x==2\n")
    assert key(python, one) != key(python, two)


def test_faults_name_file_and_line(tmp_path: Path) -> None:
    source = folder(tmp_path, Dockerfile="FROM a\nBOGUS b\n")
    with pytest.raises(BuildError, match="Dockerfile:2: unknown instruction: BOGUS"):
        read(Build("svc", "shop", source))
    with pytest.raises(BuildError, match="does not exist"):
        read(Build("svc", "shop", tmp_path / "none"))


def test_a_half_made_environment_is_made_anew(tmp_path: Path) -> None:
    place = tmp_path / "env"
    place.mkdir()
    (place / "half").touch()

    async def enter() -> bool:
        async with alone(place, False) as whole:
            return whole

    assert asyncio.run(enter()) is False and not place.exists()


def test_a_real_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = folder(tmp_path, Dockerfile=DOCKERFILE, requirements__txt="# nothing beyond the standard library\n")
    said: list[str] = []
    program = asyncio.run(make(Build("svc", "shop", source), tmp_path / "home", said.append))
    assert load(tmp_path / "home", program.reference) == program
    shown = subprocess.check_output([f"{program.path[0]}/python", "-c", "import sys; print(sys.prefix)"], text=True)
    assert shown.strip() == os.path.dirname(program.path[0])
    again: list[str] = []
    asyncio.run(make(Build("svc", "shop", source), tmp_path / "home", again.append))
    assert said and not again, "the second time everything is there"


def test_a_failing_tool_shows_its_last_lines(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"exit code 3:\n  two"):
        asyncio.run(environment.tool(["sh", "-c", "echo two; exit 3"], tmp_path, lambda _: None))


def test_what_a_program_keeps_beside_its_source_is_no_source(tmp_path: Path) -> None:
    source = folder(tmp_path, a="1")
    before = fingerprint(source)
    for name in ("app.db", "app.db-journal", "app.sqlite3-wal", "app.log", "app.pid"):
        (source / name).write_text("x")
    assert fingerprint(source) == before


def test_what_may_never_end_is_not_read(tmp_path: Path) -> None:
    source = folder(tmp_path, a="1")
    os.mkfifo(source / "pipe")
    before = fingerprint(source)
    (source / "pipe").rename(source / "other")
    assert fingerprint(source) != before, "its name counts"
    for endless in ("/dev/zero", "/proc/kmsg"):
        (source / "endless").symlink_to(endless)
        fingerprint(source)
        (source / "endless").unlink()


def test_the_empty_folder_where_modules_are_mounted_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = folder(tmp_path, package__json="{}")
    (source / "node_modules").mkdir()
    monkeypatch.setattr(environment.shutil, "which", lambda _: None)
    with pytest.raises(BuildError, match="no npm"):
        asyncio.run(environment.node_modules(source, lambda _: None))
    (source / "node_modules" / "express").mkdir()
    assert asyncio.run(environment.node_modules(source, lambda _: None)) is None


def test_an_image_of_python_has_a_python() -> None:
    """Many machines have a `python3` and no `python`."""
    assert is_python("python:3.12-slim") and is_python("docker.io/library/python")
    assert not is_python("my/pythonista:1") and not is_python("debian:12")


def test_a_program_without_requirements_has_its_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    build = Build("svc", "shop", folder(tmp_path, Dockerfile="FROM python:3\nCMD python x.py\n"))
    (place,) = asyncio.run(make(build, tmp_path / "home", lambda line: None)).path
    assert subprocess.run([f"{place}/python", "-c", "import sys; sys.exit(7)"], check=False).returncode == 7


def test_what_the_dockerfile_installs_is_added(tmp_path: Path) -> None:
    text = "FROM python:3\nCOPY . .\nRUN pip install flask -r requirements.txt -r more.txt -r gone.txt\n"
    build = Build("svc", "shop", folder(tmp_path, Dockerfile=text, requirements__txt="", more__txt="x==1\n"))
    packages, absent = added(build, read(build))
    assert packages == [("", "flask"), ("-r", "more.txt")] and absent == ["gone.txt"]
    assert any("-r gone.txt: there is no such file" in said for said in warnings(build, read(build)))
    python = Python("python3", "3.11")
    before = key(python, build.context, packages)
    (build.context / "more.txt").write_text("x==2\n")
    assert before not in (key(python, build.context, packages), key(python, build.context))
    assert environment.words(packages, build.context) == ["flask", "-r", str(build.context / "more.txt")]


def test_what_no_file_here_tells_to_install_is_named(tmp_path: Path) -> None:
    poetry = '[tool.poetry.dependencies]\npython = "^3.11"\nflask = "^3.0"\n'
    source = folder(tmp_path, Dockerfile="FROM python:3\nRUN poetry install\n", pyproject__toml=poetry)
    assert environment.requirements(source) == ["flask>=3.0,<4"]
    (source / "pyproject.toml").write_text('[project]\nname = "x"\ndynamic = ["dependencies"]\n')
    with pytest.raises(BuildError, match=r"project\.dynamic.*write them in requirements\.txt"):
        environment.requirements(source)
    (source / "pyproject.toml").unlink()
    (source / "Pipfile").touch()
    build = Build("svc", "shop", source)
    assert any("Pipfile: is not read" in said for said in warnings(build, read(build)))


def test_a_user_of_the_image_is_named_where_it_would_have_made_a_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = Build("svc", "shop", folder(tmp_path, Dockerfile="FROM x\nUSER app:app\n"))
    for uid, told in ((0, 1), (1000, 0)):
        monkeypatch.setattr(os, "geteuid", lambda uid=uid: uid)
        assert len([said for said in warnings(build, read(build)) if "USER app:app" in said]) == told
