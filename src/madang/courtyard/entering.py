"""How a control process of an ordinary user comes to live inside (see `madang.porch`), before anything is awaited.

In: the courtyard's home, the network that was asked for. Out: nothing, and the whole process is inside; or why it stays
on the machine itself. Only a process of one thread may change its user namespace: so this comes first of all.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from madang.node.networks import bridge, claims, recovery, remains
from madang.node.networks.netlink import Netlink
from madang.node.runtimes.monitor import syscalls
from madang.node.runtimes.runtime import Ability
from madang.porch import house as porch
from madang.porch import standing
from madang.ports.process import started_ticks

log = logging.getLogger(__name__)
NAME = "without root"
START_S, ENDING_S = 10.0, 2.0
LOG = "porch.err"
SOURCES = Path(__file__).resolve().parents[2]  # the folder that holds the package `madang`
CODE = "import sys; sys.path.insert(0, sys.argv[1]); from madang.porch.house import main; main(*sys.argv[2:])"
KINDS = (syscalls.CLONE_NEWUSER, syscalls.CLONE_NEWNET, syscalls.CLONE_NEWNS)


class Outside(Exception):
    """We stay on the machine itself; the text says why."""


def enter(home: Path, wanted: str) -> Ability | None:
    """None where there is nothing to enter for: root has the machine, and loopback needs no rights."""
    if os.geteuid() == 0 or sys.platform != "linux":
        return None
    run = home.absolute() / "run"
    if wanted == "loopback":
        leave_empty(home.absolute())
        return None
    try:
        _enter(home.absolute(), run)
    except (Outside, OSError) as why:
        text = (why.strerror or str(why)) if isinstance(why, OSError) else str(why)
        log.info("without namespaces of our own: %s", text)
        return Ability(NAME, False, text)
    return Ability(NAME, True)


def _enter(home: Path, run: Path) -> None:
    runs = claims.running_on(home)
    if runs == "loopback":
        raise Outside("services of this courtyard still run on the loopback network: `madang down` ends them")
    fds, fresh = held(run), False
    if not fds:
        living = inhabitant(home)
        if living == 0:
            give_up(home)
            fresh = True
        start(run, living)
        fds = held(run)
    try:
        if fresh and (fault := tried(run, fds)):
            stop(run)
            raise Outside(fault)
        come_in(run, fds)
    finally:
        for fd in fds:
            os.close(fd)


def held(run: Path) -> list[int]:
    """The namespaces, from a porch that is there; nothing where none is."""
    with suppress(OSError):
        return standing.ask(os.fspath(run), {"op": "namespaces"}, patience_s=0.2)[1]
    return []


def inhabitant(home: Path) -> int:
    """A process of ours that lives inside although the porch is gone; 0: none. Raises `Outside` where the keeper of the
    gateway's sockets lives on the machine itself: it serves, and only from there."""
    told: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        told = json.loads((home / "run" / remains.GATEWAY).read_bytes())
    for pid in (told.get("keeper", 0), (told.get("worker") or {}).get("pid", 0)):
        with suppress(OSError):
            if pid and os.fsencode(home) in Path(f"/proc/{pid}/cmdline").read_bytes():
                if Path(f"/proc/{pid}/ns/user").stat().st_ino == Path("/proc/self/ns/user").stat().st_ino:
                    raise Outside("the gateway of this courtyard still serves on the machine itself: say `madang down`")
                return int(pid)
    return 0


def give_up(home: Path) -> None:
    """Porch and gateway are gone, and with them the only ways to the network that programs may still live in: they end,
    and are started anew where they can be reached."""
    for _, running in recovery.living(home):
        log.warning("ends, since its network is lost: %s", running.get("id"))
        with suppress(OSError):
            os.kill(int(running["monitorPid"]), signal.SIGKILL)
    porch.end(os.fspath(home / "run"))


def start(run: Path, living: int = 0) -> None:
    """A porch; it has forked once it listens. Raises OSError with what this machine refuses."""
    arguments = [sys.executable, "-I", "-S", "-c", CODE, os.fspath(SOURCES), os.fspath(run)]
    with open(run / LOG, "w+b") as said:
        done = subprocess.run(
            [*arguments, *([str(living)] if living else [])],
            stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True, timeout=START_S, check=False,
        )  # fmt: skip
        said.seek(0)
        lines = said.read().decode(errors="replace").strip().splitlines()
    if done.returncode:
        (run / LOG).unlink()
        raise OSError(1, lines[-1] if lines else f"the porch did not start (exit {done.returncode})")


def tried(run: Path, fds: list[int]) -> str:
    """Empty where pods can have a network inside; tried in a process that is thrown away."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            come_in(run, fds)
            bridge.attempt()
        except OSError as error:
            os.write(write, f"{error.strerror}{f' ({error.filename})' if error.filename else ''}".encode())
        except BaseException as error:
            os.write(write, repr(error).encode())
        finally:
            os._exit(0)
    os.close(write)
    with open(read, "rb") as told:
        fault = told.read().decode()
    os.waitpid(pid, 0)
    return f"in a user namespace the bridge is refused: {fault}" if fault else ""


def come_in(run: Path, fds: list[int]) -> None:
    uid, gid = os.geteuid(), os.getegid()
    for fd, kind in zip(fds, KINDS, strict=True):
        syscalls.setns(fd, kind)
    standing.come_in(os.fspath(run), uid, gid)
    with Netlink() as here:
        here.up("lo")


def stop(run: Path) -> None:
    """The porch goes, and its way out; the namespaces go with the last process in them. Gone is a success."""
    with suppress(OSError):
        answer, _ = standing.ask(os.fspath(run), {"op": "stop"}, patience_s=0.2)
        ended(answer.get("pids") or ())
    for name in (LOG, "porch.log"):
        (run / name).unlink(missing_ok=True)


def ended(pids: Sequence[int]) -> None:
    """Both are: `down` leaves no process behind its back."""
    until = time.monotonic() + ENDING_S
    while any(started_ticks(pid) is not None for pid in pids) and time.monotonic() < until:
        time.sleep(0.005)


def mend(home: Path) -> None:
    """Where the porch was killed wholly, another, on behalf of a control that cannot start one: it is inside."""
    run = home.absolute() / "run"
    if os.geteuid() != 0 and (run / "inside").exists() and not held_anything(run) and (living := inhabitant(home)):
        start(run, living)


def leave_empty(home: Path) -> None:
    """What an earlier control left inside when nothing else lives there, now that the next lives on the machine."""
    run = home / "run"
    if not held_anything(run) or claims.running_on(home) is not None:
        return
    with suppress(Outside):
        if pid := inhabitant(home):
            os.kill(pid, signal.SIGTERM)
    stop(run)


def held_anything(run: Path) -> bool:
    for fd in (fds := held(run)):
        os.close(fd)
    return bool(fds)


def describe(ability: Ability) -> Ability:
    """With the way out as it is now."""
    if not ability.works:
        return ability
    try:
        told = standing.told()
    except OSError as error:
        return Ability(NAME, True, "", {"way out": f"not known: {error.strerror}"})
    way = f"by {told['way_out']}" if told["way_out"] else str(told["why_not"])
    return Ability(NAME, True, "", {"way out": way})
