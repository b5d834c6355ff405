"""The wheel as a user gets it: built here, installed into an empty environment, used outside the clone."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.e2e.conftest import Court

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]
CLONE = Path(__file__).parents[2]
POD = """
apiVersion: v1
kind: Pod
metadata: {name: one}
spec:
  containers:
  - {name: c, image: madang.dev/host, command: [sleep, "60"]}
"""


def said(*words: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    done = subprocess.run(words, env=env, cwd=cwd, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling", reason="hatchling (a development dependency) is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    said(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=CLONE)
    (made,) = folder.glob("*.whl")
    return made


def test_the_wheel_holds_what_runs_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    kept = said("git", "ls-files", "-co", "--exclude-standard", "src/madang", "examples", cwd=CLONE).split()
    wanted = {name.removeprefix("src/") if name.startswith("src/") else f"madang/{name}" for name in kept}
    packed = {name for name in names if ".dist-info/" not in name}
    assert packed == wanted, "the wheel and the checkout differ"
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_an_empty_environment_runs_a_courtyard(wheel: Path, tmp_path: Path, court: Court) -> None:
    place = tmp_path / "venv"
    venv.create(place, with_pip=True)
    pip = [place / "bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    reached = subprocess.run([*pip, "--no-deps", "orjson"], capture_output=True, text=True, timeout=120, check=False)
    if reached.returncode:
        pytest.skip(f"no package index answers: {reached.stderr.strip().splitlines()[-1:]}")
    said(*pip, wheel)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "pod.yaml").write_text(POD)
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    env |= {"MADANG_HOME": str(court.root), "MADANG_NAME": court.name}
    madang = place / "bin/madang"
    try:
        assert "ready after" in said(madang, "up", "--detach", ".", env=env, cwd=outside)
        assert said(madang, "status", "--output", "json", env=env, cwd=outside)
        packed = said(place / "bin/python", "-c", "import madang; print(madang.__path__[0])", env=env, cwd=outside)
        assert (Path(packed.strip()) / "examples/shop/compose.yaml").exists()
    finally:
        said(madang, "down", "--purge", env=env, cwd=outside)
