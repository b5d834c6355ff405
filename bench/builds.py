"""Building again: nothing changed, and one line of the source changed; without a Dockerfile, with one, and by buildah.

The folder is a program of one package and 50 modules on a base of Debian's Python (mmdebstrap makes it once, and it is
kept). The Dockerfile copies the folder and compiles it. Buildah builds it with its layers kept (`--layers`), in a store
of its own; both commands are timed whole, from their start to their end.
"""

import os
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.court import Court, courtyard, load, quiet
from bench.table import Measure, show

RUNS = int(os.environ.get("BENCH_RUNS", "5"))
MODULES = 50
BASE = "bench/python:1"
PYPROJECT = (
    '[project]\nname = "try-it"\nversion = "1"\ndependencies = []\n[project.scripts]\ntry-it = "try_it.m0:main"\n'
)
DOCKERFILE = f"FROM {BASE}\nWORKDIR /app\nCOPY . .\nRUN python3 -m compileall -q src\n"


def base() -> Path | None:
    """The root file system as a tar; None where it cannot be made."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "madang-tests"
    suite = platform.freedesktop_os_release().get("VERSION_CODENAME", "stable")
    found = cache / f"debian-{suite}-python3-minimal.tar"
    if not found.exists():
        cache.mkdir(parents=True, exist_ok=True)
        command = ["mmdebstrap", "--quiet", "--variant=minbase", "--include=python3-minimal", suite, found]
        if shutil.which("mmdebstrap") is None or subprocess.run(command, check=False).returncode:
            return None
    return found


def source(folder: Path, *, dockerfile: bool) -> Path:
    package = folder / "src" / "try_it"
    package.mkdir(parents=True)
    for number in range(MODULES):
        (package / f"m{number}.py").write_text(f"def main():\n    print({number})\n" * 40)
    (folder / "Dockerfile" if dockerfile else folder / "pyproject.toml").write_text(
        DOCKERFILE if dockerfile else PYPROJECT
    )
    return folder


def change(folder: Path, number: int) -> None:
    (folder / "src" / "try_it" / "m0.py").write_text(f"def main():\n    print('change {number}')\n")


def rounds(name: str, folder: Path, build: Callable[[], object], goals: tuple[str, str]) -> list[Measure]:
    """The first build is not timed."""
    build()
    same, changed = [], []
    for number in range(RUNS):
        same.append(timed(build))
        change(folder, number)
        changed.append(timed(build))
    return [
        Measure(f"{name}: nothing changed", same, "ms", goals[0]),
        Measure(f"{name}: one line changed", changed, "ms", goals[1]),
    ]


def timed(build: Callable[[], object]) -> float:
    quiet()
    begin = time.perf_counter()
    build()
    return (time.perf_counter() - begin) * 1000


def ours(court: Court, top: Path) -> list[Measure]:
    plain, docker = source(top / "plain", dockerfile=False), source(top / "docker", dockerfile=True)
    goals = ("150 ms", "1 s")
    return [
        *rounds("a Python folder", plain, lambda: court.run("build", str(plain), "-t", "plain", "--base", BASE), goals),
        *rounds("a Dockerfile", docker, lambda: court.run("build", str(docker), "-t", "docker"), ("150 ms", "")),
    ]


@contextmanager
def buildah(folder: Path) -> Iterator[list[str]]:
    """Its command line; what it has mounted is gone afterwards."""
    tool = ["buildah", "--root", str(folder / "root"), "--runroot", str(folder / "run")]
    try:
        yield tool
    finally:
        subprocess.run([*tool, "rmi", "--all", "--force"], check=False, capture_output=True)
        subprocess.run(["umount", folder / "root" / "overlay"], check=False, capture_output=True)


def theirs(folder: Path, root: Path) -> list[Measure]:
    (folder / "base").mkdir(parents=True)
    shutil.copy(root, folder / "base" / "root.tar")
    (folder / "base" / "Dockerfile").write_text("FROM scratch\nADD root.tar /\n")
    docker = source(folder / "docker", dockerfile=True)
    with buildah(folder) as tool:

        def build(at: Path, name: str) -> None:
            words = ["build", "--layers", "--pull-never", "--isolation", "chroot", "-q", "-t", name, str(at)]
            done = subprocess.run([*tool, *words], check=False, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"buildah: {done.stderr}")

        build(folder / "base", BASE)
        return rounds("buildah, the same Dockerfile", docker, lambda: build(docker, "docker"), ("", ""))


def main() -> None:
    root = base()
    if os.geteuid() != 0 or shutil.which("runc") is None or root is None:
        print("builds: not measured: needs root, runc, and mmdebstrap for a base image")
        return
    with tempfile.TemporaryDirectory(prefix="madang-bench-") as folder:
        top = Path(folder)
        with courtyard() as court:
            (top / "base").mkdir()
            shutil.copy(root, top / "base" / "root.tar")
            (top / "base" / "Dockerfile").write_text("FROM scratch\nADD root.tar /\n")
            court.run("build", str(top / "base"), "-t", BASE)
            show(f"Building again ({load()})", ours(court, top))
        if shutil.which("buildah"):
            show("Beside it", theirs(top / "buildah", root))
