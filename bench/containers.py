"""Pods in containers, created to Running: alone and 50 at once; beside them `podman run` and bare `runc run`.

One image of one layer, Debian's static busybox, which is in the store (and in podman's) before anything is timed.
Podman stores in a folder of its own, and connects nothing (`--network none`): our pods are connected.
"""

import asyncio
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bench.births import Watch, round_of
from bench.court import Court, courtyard, load, quiet
from bench.images import LAYER, archive
from bench.table import Measure, show

ALONE, TOGETHER, ROUNDS = 20, 50, 3
IMAGE = "bench/busybox:1"
# Podman asks for higher ones than a machine may have to give.
LOW = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
COMMAND = ["/bin/busybox", "sleep", "1000"]
USERS = {"etc/passwd": b"root:x:0:0::/:/bin/sh\n", "etc/group": b"root:x:0:\n"}


def layer(program: Path) -> bytes:
    """Busybox, and who root is."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as pack:
        for name in ("bin", "etc", "proc", "sys", "dev"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            pack.addfile(folder)
        for name, body in {**USERS, "bin/busybox": program.read_bytes()}.items():
            file = tarfile.TarInfo(name)
            file.size, file.mode = len(body), 0o755
            pack.addfile(file, io.BytesIO(body))
    return packed.getvalue()


def store(source: Path, packed: bytes) -> None:
    """The image as an archive."""
    archive(source, packed, f"sha256:{hashlib.sha256(packed).hexdigest()}", LAYER)


def pod(name: str) -> dict[str, Any]:
    container = {"name": "main", "image": IMAGE, "command": COMMAND}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 0}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"}, "spec": spec}


async def ours(court: Court) -> list[Measure]:
    api = court.api()
    watch = Watch(api)
    following = asyncio.create_task(watch.follow())
    try:
        await asyncio.sleep(0.5)
        await round_of(api, watch, ["first"], pod)
        alone = [await round_of(api, watch, [f"alone-{i}"], pod) for i in range(ALONE)]
        many = [await round_of(api, watch, [f"m{i}-{j}" for j in range(TOGETHER)], pod) for i in range(ROUNDS)]
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await api.close()
    return [
        Measure(
            "pod in a container, created to Running seen: alone", [up for up, _ in alone], "ms", "120 ms", "242 ms"
        ),
        Measure(f"{TOGETHER} at once, all", [up for up, _ in many], "ms", "3 s", "7.0 s"),
        Measure("pod, deleted to gone: alone", [down for _, down in alone], "ms"),
        Measure(f"{TOGETHER} at once, all", [down for _, down in many], "ms"),
    ]


def timed(command: list[str], folder: Path) -> float:
    """Milliseconds until the command has ended, which it does as soon as the container runs."""
    quiet()
    begin = time.perf_counter()
    # no pipe: what runs inside would hold it open
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
    took = (time.perf_counter() - begin) * 1000
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}")
    return took


def bare(folder: Path, packed: bytes) -> list[Measure]:
    """`runc run` alone: no image, no network of its own but a new one, no log, no monitor."""
    with tarfile.open(fileobj=io.BytesIO(packed)) as pack:
        pack.extractall(folder / "rootfs", filter="data")
    subprocess.run(["runc", "spec"], cwd=folder, check=True)
    document = json.loads((folder / "config.json").read_text())
    document["process"] |= {"terminal": False, "args": COMMAND}
    document["process"].pop("rlimits", None)  # the machine may not have them to give
    (folder / "config.json").write_text(json.dumps(document))
    tool, took = ["runc", "--root", str(folder / "state")], []
    for number in range(ALONE):
        name = f"bench-{os.getpid()}-{number}"
        try:
            took.append(timed([*tool, "run", "--detach", name], folder))
        finally:
            subprocess.run([*tool, "delete", "--force", name], check=False, capture_output=True)
    return [Measure("runc run --detach, bare", took, "ms")]


@contextmanager
def podman(folder: Path, source: Path) -> Iterator[list[str]]:
    """Its command line, with the image loaded; what it has made is gone afterwards."""
    tool = [
        "podman",
        *(word for name in ("root", "runroot", "tmpdir") for word in (f"--{name}", str(folder / name))),
    ]
    try:
        told = subprocess.run([*tool, "load", "-q", "-i", source], check=True, capture_output=True, text=True).stdout
        subprocess.run([*tool, "tag", told.split()[-1], IMAGE], check=True, capture_output=True)
        yield tool
    finally:
        subprocess.run([*tool, "rm", "--force", "--all", "--time", "0"], check=False, capture_output=True)
        subprocess.run([*tool, "rmi", "--force", "--all"], check=False, capture_output=True)
        over(str(folder))
        subprocess.run(["umount", folder / "root" / "overlay"], check=False, capture_output=True)


def over(folder: str, most_s: float = 20.0) -> None:
    """Until what podman has left to end its containers has ended, too: it still writes below the folder."""
    deadline = time.monotonic() + most_s
    while naming(folder) and time.monotonic() < deadline:
        time.sleep(0.1)


def naming(folder: str) -> list[int]:
    """Processes whose command line has this folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if folder.encode() in (path / "cmdline").read_bytes():
                found.append(int(path.name))
    return found


def theirs(folder: Path, source: Path) -> list[Measure]:
    with podman(folder, source) as tool:
        run = [*tool, "run", "--detach", "--network", "none", "--runtime", "runc", *LOW, IMAGE, *COMMAND]
        took = []
        for _ in range(ALONE):
            took.append(timed(run, folder))
            subprocess.run([*tool, "rm", "--force", "--all", "--time", "0"], check=True, capture_output=True)
    return [Measure("podman run --detach --network none", took, "ms")]


def peer(name: str, top: Path, measure: Callable[[Path], list[Measure]]) -> list[Measure]:
    """Nothing where it is not installed, or has no root."""
    if shutil.which(name) is None or os.geteuid() != 0:
        return []
    folder = top / name
    folder.mkdir()
    return measure(folder)


def main() -> None:
    found = shutil.which("busybox")
    if found is None:
        print("containers: not measured: no busybox here (Debian: apt-get install busybox-static)")
        return
    with tempfile.TemporaryDirectory(prefix="madang-bench-") as top:
        folder, packed = Path(top), layer(Path(found))
        source = folder / "image.tar"
        store(source, packed)
        with courtyard() as court:
            court.run("image", "load", str(source), "--tag", IMAGE)
            court.run("up", "--detach")
            show(f"Pods in containers ({load()})", asyncio.run(ours(court)))
        beside = [
            *peer("runc", folder, lambda at: bare(at, packed)),
            *peer("podman", folder, lambda at: theirs(at, source)),
        ]
    if beside:
        show("Beside them", beside)
