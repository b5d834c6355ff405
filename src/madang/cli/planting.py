"""`madang up --watch` reaches into what runs: changed files into an instance, an instance started again in its place.

In: a pod, files. Out: done, or `Unreached` with the reason. A program of this machine sees its sources where they are:
there a file that stands at its target already needs nothing, and any other cannot be brought. A container gets files
through its first process (`node/runtimes/oci/planter.py`); one that is started again keeps what was written to it.
"""

import asyncio
import io
import os
import signal
import sys
import tarfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from madang.app.fresh import Unreached
from madang.cli.courtyards import Courtyard
from madang.node.images.place import opened
from madang.node.launch.folders import Folders
from madang.node.runtimes.monitor import record
from madang.node.runtimes.oci import planter
from madang.node.worker.termination import signal_number
from madang.ports.objects import Obj
from madang.ports.program import load

PATIENCE_S, LOOK_S = 10.0, 0.02
# In a process of its own: who talks to a program reads standard input, which is the person's here.
RUN = """import asyncio, sys
from madang.cli.session import execute
sys.exit(asyncio.run(execute(*sys.argv[1:5], sys.argv[5:], False)))"""


class Planting:
    def __init__(self, court: Courtyard) -> None:
        self.court = court

    async def put(self, pod: Obj, files: Mapping[Path, str]) -> None:
        folders, container = Folders(self.court.home, pod), pod["spec"]["containers"][0]
        if folders.runtime() != "container":
            self.stands(container["image"], files)
            return
        _, running = found(folders, container["name"])
        words = [str(running["pid"]), str(running["startedTicks"])]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", planter.__file__, *words,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, said = await process.communicate(await asyncio.to_thread(packed, files))
        if process.returncode:
            raise Unreached(said.decode(errors="replace").strip() or f"exit code {process.returncode}")

    def stands(self, reference: str, files: Mapping[Path, str]) -> None:
        """Whether the program reads these files themselves, there."""
        program = load(self.court.home, reference)
        mounts = program.mounts if program is not None else ()
        for path, target in files.items():
            if not any(seen(Path(source), Path(place), Path(target)) == path for source, place in mounts):
                raise Unreached(f"{path.name} cannot stand at {target}: it is a program of this machine")

    async def restart(self, pod: Obj) -> None:
        """The instance stays; its program is another. Returns once the old one is gone."""
        folders, container = Folders(self.court.home, pod), pod["spec"]["containers"][0]["name"]
        folder, running = found(folders, container)
        (folder / record.AGAIN).touch()
        pid, ticks = int(running["pid"]), running["startedTicks"]
        grace = min(float(pod["spec"].get("terminationGracePeriodSeconds", PATIENCE_S)), PATIENCE_S)
        first = signal_number(self.stop_signal(pod, folders.runtime() == "container"))
        for number, seconds in ((first, grace), (signal.SIGKILL, PATIENCE_S)):
            if record.ticks(pid) == ticks:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            for _ in range(int(seconds / LOOK_S)):
                if record.ticks(pid) != ticks:
                    return
                await asyncio.sleep(LOOK_S)
        raise Unreached("its program does not end")

    def stop_signal(self, pod: Obj, contained: bool) -> str:
        """The pod's own, else its image's."""
        container = pod["spec"]["containers"][0]
        if own := (container.get("lifecycle") or {}).get("stopSignal"):
            return str(own)
        if contained:
            image = opened(self.court.home).find(container["image"])
            return (image.config.stop_signal if image is not None else "") or "SIGTERM"
        program = load(self.court.home, container["image"])
        return (program.stop_signal if program is not None else "") or "SIGTERM"

    async def run(self, pod: Obj, command: Sequence[str]) -> None:
        meta, container = pod["metadata"], pod["spec"]["containers"][0]["name"]
        where = (str(self.court.socket), meta["namespace"], meta["name"], container)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", RUN, *where, *command, stdin=asyncio.subprocess.DEVNULL
        )
        if code := await process.wait():
            raise Unreached(f"`{' '.join(command)}` ended with exit code {code}")


def found(folders: Folders, container: str) -> tuple[Path, dict[str, Any]]:
    """(folder, record) of the start that runs now."""
    for number in reversed(folders.numbers(container)):
        folder = folders.attempt(container, number)
        running = record.read(folder, record.RUNNING)
        if running is not None and record.ticks(running["pid"]) == running["startedTicks"]:
            return folder, running
    raise Unreached("it does not run")


def seen(source: Path, place: Path, target: Path) -> Path | None:
    return source / target.relative_to(place) if target.is_relative_to(place) else None


def packed(files: Mapping[Path, str]) -> bytes:
    """A tar by the paths inside. What is not here any more is named to be taken away."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path, target in sorted(files.items()):
            name = target.lstrip("/")
            try:
                archive.add(path, name, recursive=False)
            except FileNotFoundError:
                archive.addfile(tarfile.TarInfo(os.path.join(os.path.dirname(name), f".wh.{os.path.basename(name)}")))
    return out.getvalue()
