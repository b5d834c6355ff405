"""`Runner` by an OCI runtime's program (runc, crun).

In: an order. Out: the exit code. The runtime, and all that it starts, lives in a PID namespace that the kernel ends
when this process goes, however it goes: no program of a build outlives it.
"""

import asyncio
import json
import os
import secrets
import shutil
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from madang.node.building import overlay
from madang.node.building.bundle import Stand, config
from madang.node.building.inside import maps
from madang.node.building.runner import Order, Say, Unable
from madang.node.images.place import builds
from madang.node.runtimes.oci.machine import Machine, look

NAMES = ("runc", "crun")
AROUND = ("setpriv", "unshare")  # of util-linux
LINE = 1 << 20  # a longer line is cut in two
PATIENCE = 100  # looks, 20 ms apart
TERMINALS = 5  # the group tty
CGROUPS = Path("/sys/fs/cgroup")


def found(home: Path) -> "Runc":
    """The first that is there, for the courtyard at `home`. Raises Unable."""
    program = next((p for name in NAMES if (p := shutil.which(name))), None)
    lacking = [name for name in AROUND if not shutil.which(name)]
    if program is None:
        lacking.append(" or ".join(NAMES))
    if lacking or program is None:
        raise Unable(f"a Dockerfile's RUN needs {' and '.join(lacking)} on this machine")
    return Runc(program, look(2 if (CGROUPS / "cgroup.controllers").exists() else 1), builds(home))


def stand() -> Stand:
    return Stand(overlay.apart(), maps(Path("/proc/self/gid_map").read_text(), TERMINALS))


class Runc:
    """`home` is the folder of the build cache: containers of its builds are known by it."""

    def __init__(self, program: str, machine: Machine, home: Path) -> None:
        self.program, self.machine = program, machine
        self.prefix = f"madang-build-{sha256(os.fsencode(home)).hexdigest()[:8]}-"

    def sweep(self) -> None:
        sweep(self.prefix)

    async def run(self, root: Path, order: Order, work: Path, say: Say) -> int:
        name = f"{self.prefix}{secrets.token_hex(6)}"
        bundle = work / "bundle"
        bundle.mkdir(exist_ok=True)
        (bundle / "config.json").write_text(json.dumps(config(order, root, self.machine, stand())))
        log = bundle / "log.json"
        args = ["--root", str(work / "state"), "--log", str(log), "--log-format", "json"]
        program = await asyncio.create_subprocess_exec(
            "setpriv", "--pdeathsig", "SIGKILL", "unshare", "--pid", "--fork", "--kill-child", "--mount-proc",
            self.program, *args, "run", "--bundle", str(bundle), name,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            assert program.stdout is not None
            await lines(program.stdout, say)
            code = await program.wait()
        finally:
            if program.returncode is None:
                with suppress(ProcessLookupError):
                    program.kill()
                await program.wait()
            await gone(name)
        if code and (words := refused(log)):
            raise Unable(words)
        return code


async def lines(stream: asyncio.StreamReader, say: Say) -> None:
    """Lines as they come; a program that shows its progress by going back to a line's start says many."""
    rest = b""
    while chunk := await stream.read(1 << 16):
        *whole, rest = (rest + chunk).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        if len(rest) > LINE:
            whole, rest = [*whole, rest], b""
        for line in whole:
            say(line.decode("utf-8", "replace"))
    if rest:
        say(rest.decode("utf-8", "replace"))


def refused(log: Path) -> str:
    """The runtime's own last error; empty where only the program failed."""
    found = ""
    with suppress(OSError):
        for line in log.read_text().splitlines():
            with suppress(ValueError):
                entry = json.loads(line)
                if entry.get("level") in ("error", "fatal"):
                    found = str(entry.get("msg", ""))
    return found.removeprefix("runc run failed: ")


def cgroups() -> set[Path]:
    """Where this machine's hierarchies make cgroups for what we start."""
    found = {CGROUPS, CGROUPS / "unified"}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        top = CGROUPS / controllers.removeprefix("name=") if controllers else CGROUPS
        found |= {top, top / path.strip("/"), CGROUPS / "unified" / path.strip("/")}
    return found


def sweep(prefix: str) -> bool:
    """Take away the cgroups that a killed runtime left; one in which something runs stays, and is said."""
    left = False
    for top in cgroups():
        for place in top.glob(f"{prefix}*"):
            try:
                place.rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                left = True
    return left


async def gone(name: str) -> None:
    """The kernel ends what a killed runtime had started at its own pace; only then its cgroups can go."""
    for _ in range(PATIENCE):
        if not sweep(name):
            return
        await asyncio.sleep(0.02)
