"""Pods that stand still for a moment: every process of theirs is stopped, and goes on later as if nothing had been.

In: the courtyard's home and the pods' uids. Out: the processes that were stopped. A note (`run/paused.json`) is
written before the first one is, so that whoever starts after a crash lets them go on. SIGSTOP works everywhere, with
and without cgroups; a program cannot catch it, and a process that stood still before is left as it is.
"""

import json
import os
import signal
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from madang.node.runtimes.monitor import record
from madang.node.runtimes.monitor.limits import stat_fields

FORMAT = 1
NOTE = "paused.json"
STANDING = (b"T", b"t")
ENDED = (b"Z", b"X")
STILL_S = 5.0  # a process that waits for a disk stops when it has its answer
LOOK_S = 0.001

Process = tuple[int, int]  # pid and start ticks


def stop(home: Path, uids: Collection[str]) -> list[Process]:
    """Blocks until all stand still. Raises TimeoutError, with all of them going again."""
    note(home, uids)
    stopped: dict[int, int] = {}
    deadline = time.monotonic() + STILL_S
    try:
        while moving := [pid for uid in uids for pid in members(home, uid) if moves(pid)]:
            for pid in moving:
                if pid not in stopped and (ticks := record.ticks(pid)) is not None:
                    stopped[pid] = ticks
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGSTOP)
            if time.monotonic() > deadline:
                raise TimeoutError(f"processes {', '.join(map(str, moving))} do not stop")
            time.sleep(LOOK_S)
    except BaseException:
        go_on(home, list(stopped.items()))
        raise
    return list(stopped.items())


def go_on(home: Path, stopped: Collection[Process]) -> None:
    for pid, ticks in stopped:
        if record.alive(pid, ticks):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    (home / "run" / NOTE).unlink(missing_ok=True)


def recover(home: Path) -> int:
    """Lets go on what somebody who was killed has stopped. How many pods."""
    path = home / "run" / NOTE
    try:
        uids = [str(uid) for uid in json.loads(path.read_bytes())["pods"]]
    except FileNotFoundError:
        return 0
    except (OSError, ValueError, LookupError, TypeError):  # half a note: better all than none
        uids = [folder.name for folder in (home / "pods").glob("*")]
    for uid in uids:
        for pid in members(home, uid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    path.unlink(missing_ok=True)
    return len(uids)


def note(home: Path, uids: Collection[str]) -> None:
    path = home / "run" / NOTE
    new = path.with_name(f".{NOTE}.new")
    new.write_text(json.dumps({"format": FORMAT, "pods": sorted(uids)}))
    new.replace(path)


def moves(pid: int) -> bool:
    fields = stat_fields(pid)
    return fields is not None and fields[0] not in (*STANDING, *ENDED)


def members(home: Path, uid: str) -> list[int]:
    """The processes of a pod's containers, their monitors apart: these must see the others end."""
    found: list[int] = []
    for running in monitors(home, uid):
        monitor = int(running["monitorPid"])
        inside = same_namespace(monitor, int(running["pid"])) if running["confinement"]["pids"] else below(monitor)
        found += [pid for pid in inside if pid != monitor]
    return found


def monitors(home: Path, uid: str) -> Iterator[dict[str, Any]]:
    for path in (home / "pods" / uid / "containers").glob(f"*/*/{record.RUNNING}"):
        running = record.read(path.parent, record.RUNNING)
        if running is not None and record.alive(running["monitorPid"], running["monitorTicks"]):
            yield running


def same_namespace(*members: int) -> list[int]:
    """Also what was sent in from outside (exec). A container from an image has one of its own within the monitor's."""
    wanted = {namespace(pid) for pid in members} - {"", namespace(os.getpid())}
    return [pid for pid in processes() if namespace(pid) in wanted]


def namespace(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return ""


def below(top: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for pid in processes():
        if (fields := stat_fields(pid)) is not None:
            children.setdefault(int(fields[1]), []).append(pid)
    found, todo = [], [top]
    while todo:
        for pid in children.get(todo.pop(), ()):
            found.append(pid)
            todo.append(pid)
    return found


def processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]
