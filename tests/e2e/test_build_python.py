"""`madang build` of Python folders without a Dockerfile, on a base image of Debian's own Python."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from madang.node.building import wheels
from madang.node.images.history import rows
from madang.node.images.image import Image
from madang.node.images.store import Store
from tests.e2e.base_image import debian
from tests.e2e.test_build import built, madang
from tests.node.building.test_wheels import wheel

pytestmark = pytest.mark.e2e

PYPROJECT = """\
[project]
name = "try-it"
version = "2.1"
dependencies = ["greet>=1"]
[project.scripts]
try-it = "try_it.cli:main"
"""
CLI = """\
import os, sys
import greet
def main():
    greet.main()
    print(os.path.basename(sys.argv[0]), os.getcwd(), sorted(os.listdir("/opt/application")), "first")
"""
ON_PYTHON = ("--base", "debian/python")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A courtyard's folder with a base image; installers ask no registry."""
    if os.geteuid() != 0:
        pytest.skip("only root builds images")
    try:
        wheels.installer()
    except wheels.NotInstalled as error:
        pytest.skip(str(error))
    top = tmp_path_factory.mktemp("python")
    (top / "base").mkdir()
    shutil.copyfile(debian("python3-minimal"), top / "base/root.tar")
    (top / "base/Dockerfile").write_text("FROM scratch\nADD root.tar /\n")
    madang(top / "home", "build", str(top / "base"), "-t", "debian/python")
    wheel(top / "wheels")
    with pytest.MonkeyPatch.context() as patch:
        for tool in ("UV", "PIP"):
            patch.setenv(f"{tool}_FIND_LINKS", str(top / "wheels"))
            patch.setenv(f"{tool}_NO_INDEX", "1")
        yield top / "home"
    shutil.rmtree(top)  # a whole Debian, twice


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    (folder / "src/try_it").mkdir(parents=True)
    (folder / "src/try_it/cli.py").write_text(CLI)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / ".git").mkdir()
    (folder / ".git/config").touch()
    return folder


def image(home: Path, ref: str = "try") -> Image:
    found = Store(home / ".images").find(ref)
    assert found is not None
    return found


def test_three_layers_and_it_runs(home: Path, folder: Path, tmp_path: Path) -> None:
    said = madang(home, "build", str(folder), "-t", "try", *ON_PYTHON)
    assert "[python] starts with try-it (try_it.cli:main of project.scripts)\n" in said
    found = image(home)
    groups = [(row.group, row.step.created_by) for row in rows(found) if row.layer]
    version = groups[1][1].rpartition(" ")[2]
    assert groups == [
        ("base", "ADD root.tar / # buildkit"),
        ("runtime", f"dependencies of pyproject.toml for Python {version}"),
        ("application", "application in /app"),
    ]
    app = found.layers[2].folder
    assert sorted(path.name for path in (app / "app").iterdir()) == ["pyproject.toml", "src"]
    assert {path.lstat().st_mtime for layer in found.layers[1:] for path in layer.folder.rglob("*")} == {315532800}
    (tmp_path / "on").mkdir()
    (tmp_path / "on/Dockerfile").write_text(f"FROM try\nRUN {found.config.entrypoint[0]}; greet\n")
    if not shutil.which("runc"):
        pytest.skip("runc is not installed: the program of the image was not run")
    ran = madang(home, "build", str(tmp_path / "on"), "-t", "on")
    assert "hello\n[0 1/1] try-it /app ['bin', 'try_it-2.1.dist-info'] first\n[0 1/1] hello\n" in ran


def test_a_changed_line_makes_the_application_anew_and_nothing_else(home: Path, folder: Path) -> None:
    first = built(home, folder, *ON_PYTHON)
    before, index = image(home), (home / ".images/index.json").stat()
    said = madang(home, "build", str(folder), "-t", "try", *ON_PYTHON)
    assert said.count("CACHED") == 2 and first["digest"] in said
    assert (home / ".images/index.json").stat() == index, "the store was not written to"
    madang(home, "build", str(folder), "-t", "try", "-t", "another:name", *ON_PYTHON)
    assert image(home, "another:name").digest == first["digest"]
    cli = folder / "src/try_it/cli.py"
    cli.write_text(CLI.replace("first", "second"))
    said = madang(home, "build", str(folder), "-t", "try", *ON_PYTHON)
    assert "[python 1/2] CACHED dependencies of pyproject.toml" in said and "[python 2/2] application in" in said
    after = image(home)
    assert after.layers[:2] == before.layers[:2] and after.layers[2] != before.layers[2]
    cli.write_text(CLI)
    assert built(home, folder, *ON_PYTHON)["digest"] == first["digest"]


def test_the_same_input_gives_the_same_digest(home: Path, folder: Path) -> None:
    words = (*ON_PYTHON, "--no-cache")
    first = built(home, folder, *words, SOURCE_DATE_EPOCH="1700000000")
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (1, 1))
    second = built(home, folder, *words, SOURCE_DATE_EPOCH="1700000000", TZ="Asia/Seoul")
    assert first == second
    assert built(home, folder, *ON_PYTHON)["digest"] != first["digest"]


def test_requirements_and_a_main(home: Path, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain/main.py").write_text("import greet\ngreet.main()\n")
    (tmp_path / "plain/requirements.txt").write_text("# nothing yet\n")
    assert built(home, tmp_path / "plain", *ON_PYTHON)["layers"] == 2
    (tmp_path / "plain/requirements.txt").write_text("greet==1.0\n")
    assert built(home, tmp_path / "plain", *ON_PYTHON)["layers"] == 3
    config = image(home).config
    assert (config.entrypoint, config.cmd, config.workdir) == (("python3", "main.py"), (), "/app")
    assert dict(config.env)["PYTHONPATH"] == "/app:/opt/application:/opt/dependencies"


def test_refusals(home: Path, folder: Path) -> None:
    def said(*words: str, code: int = 1) -> str:
        return " ".join(madang(home, "build", str(folder), "-t", "try", *words, code=code).split())

    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    wanted = (
        f'the image "python:{own}-slim" is not here; bring it with `madang image pull` or `madang image load`; '
        "or name another with"
    )
    assert wanted in said("--no-pull")
    assert "--target: only for a Dockerfile, and the folder has none" in said("--target", "x", code=2)
    (folder / "pyproject.toml").write_text(PYPROJECT.replace("greet>=1", "greet>=2"))
    assert "could not install what it names" in said(*ON_PYTHON)
    assert list((home / ".build/work").iterdir()) == []
    (folder / "pyproject.toml").write_text(PYPROJECT.replace("version", 'requires-python = ">=3.99"\nversion'))
    assert 'requires-python: at least 3.99, "debian/python" has Python 3.' in said(*ON_PYTHON)
    (folder / "Dockerfile").write_text("FROM debian/python\n")
    assert "--base: a Dockerfile names its base itself, with FROM" in said(*ON_PYTHON, code=2)


def test_a_base_without_python(home: Path, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "none/Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    madang(home, "build", str(tmp_path / "none"), "-t", "none")
    refused = madang(home, "build", str(folder), "-t", "try", "--base", "none", code=1)
    assert 'the image "none" has no Python on its path; name one with --base' in " ".join(refused.split())
