"""An image `python:3-slim` made of the Python that runs the tests, so that no registry and no package is asked.

In: a courtyard. Out: the image in its store: interpreter and library at their own paths, a shell, what `examples/shop`
needs, and a `pip` that finds everything installed.
"""

import importlib.metadata
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.e2e.conftest import Court
from tests.node.runtimes.oci import busybox

PACKAGES = ("starlette", "uvicorn", "httpx", "httpcore", "h11", "anyio", "idna", "sniffio", "certifi", "click",
            "typing_extensions")  # fmt: skip
LEFT_OUT = shutil.ignore_patterns(
    "test", "tests", "site-packages", "dist-packages", "config-*", "idlelib", "lib2to3", "ensurepip", "tkinter",
    "turtledemo", "*.opt-?.pyc", "*.a", "_test*.so",
)  # fmt: skip
PIP = '#!/bin/sh\necho "Requirement already satisfied: $*"\n'
DOCKERFILE = 'FROM scratch\nCOPY root /\nENV PATH=/usr/local/bin:/usr/bin:/bin\nCMD ["python3"]\n'


def bring(court: Court, folder: Path, name: str = "python:3-slim") -> None:
    """Skips by name where the image cannot be made."""
    program = busybox.static()
    if program is None:
        pytest.skip("no static busybox to make an image of: install Debian's busybox-static")
    root = folder / "root"
    busybox.layer(root, program)
    (root / "bin" / "ln").symlink_to("busybox")
    library = Path(sysconfig.get_path("stdlib"))
    interpreter = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    shutil.copytree(library, inside(root, library), ignore=LEFT_OUT, symlinks=True)
    needed = [interpreter, *library.glob("lib-dynload/*.so")]
    for path in (interpreter, *libraries(needed)):
        inside(root, path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, inside(root, path))
    local = root / "usr/local/bin"
    local.mkdir(parents=True, exist_ok=True)
    for link in ("python", "python3"):
        (local / link).symlink_to(interpreter)
    (local / "pip").write_text(PIP)
    (local / "pip").chmod(0o755)
    packages(inside(root, library) / "site-packages")
    (root / "tmp").mkdir(exist_ok=True, mode=0o1777)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    court.run("build", str(folder), "-t", name)


def inside(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


def libraries(programs: list[Path]) -> set[Path]:
    """What the linker would load, the linker too, by the paths that it looks for."""
    said = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=True).stdout
    words = [word for line in said.splitlines() for word in line.split() if not line.endswith(":")]
    return {Path(word) for word in words if word.startswith("/")}


def packages(target: Path) -> None:
    for name in PACKAGES:
        try:
            found = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # not every version of the others needs it
        for file in found.files or ():
            if ".." not in file.parts:
                place = target / file
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(found.locate_file(file)), place)
