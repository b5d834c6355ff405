"""An image `python:3-slim` made of the Python that runs the tests, so that no registry and no package is asked.

In: a courtyard. Out: the image in its store: interpreter and library at their own paths, a shell, what `examples/shop`
needs, and a `pip` that finds everything installed.
"""

import compileall
import hashlib
import importlib.metadata
import json
import platform
import shutil
import subprocess
import sys
import sysconfig
import tarfile
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
RUN = {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], "Cmd": ["python3"]}


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
    court.run("image", "load", str(saved(folder, name)))


def saved(folder: Path, name: str) -> Path:
    """As `docker save` writes it. A build would give all files one moment, and Python would compile what it has."""
    layer, archive = folder / "layer.tar", folder / "image.tar"
    with tarfile.open(layer, "w") as tar:
        tar.add(folder / "root", arcname=".", filter=of_root)
    with open(layer, "rb") as file:
        digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    rootfs = {"type": "layers", "diff_ids": [digest]}
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    config = {"architecture": machine, "os": "linux", "config": RUN, "rootfs": rootfs}
    (folder / "config.json").write_text(json.dumps(config))
    listed = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    (folder / "manifest.json").write_text(json.dumps(listed))
    with tarfile.open(archive, "w") as tar:
        for part in ("manifest.json", "config.json", "layer.tar"):
            tar.add(folder / part, arcname=part)
    return archive


def of_root(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    return info


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
    compileall.compile_dir(target, quiet=2)
