"""What can still be said and done when a monitor is gone: waiting for it, its record as an `Exit`, its orphans.

In: the records that a monitor wrote. Out: `Exit` values. A monitor killed with -9 writes nothing: its container
counts as killed (137). Where a PID namespace stood, the kernel has ended everything in it; elsewhere the processes
that it leaves are known by a mark in their environment.
"""

import asyncio
import os
import pwd
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from madang.node.runtimes.monitor import record
from madang.node.runtimes.runtime import Exit

MARK = "MADANG_CONTAINER"
LOOK_EVERY_S = 0.05  # only on kernels without pidfd


def to_exit(ended: Mapping[str, Any]) -> Exit:
    return Exit(
        code=ended["code"],
        signal=ended["signal"],
        started_at_s=ended["startedAt"],
        finished_at_s=ended["finishedAt"],
        reason=ended["reason"],
        message=ended["message"],
    )


def lost(running: Mapping[str, Any]) -> Exit:
    """Its monitor was killed: so was it, when nobody knows; seen now."""
    return Exit(128 + signal.SIGKILL, int(signal.SIGKILL), running["startedAt"], time.time(), "Error")


def unkillable(pid: int) -> str:
    try:
        uid = os.stat(f"/proc/{pid}").st_uid
        user = pwd.getpwuid(uid).pw_name
    except OSError:
        user = "somebody else"
    except KeyError:
        user = str(uid)
    return (
        f"process {pid} has become user {user} and takes no signal from this courtyard: end it as that user "
        f"(sudo kill -9 {pid}), and let the program run without a set-user-id step"
    )


def give_up(running: Mapping[str, Any], why: str) -> None:
    """A program that cannot be ended is left to whoever may: its container counts as killed, with the reason, and its
    monitor goes, which would wait for it for ever."""
    now = time.time()
    ended = {"code": 128 + signal.SIGKILL, "signal": int(signal.SIGKILL), "startedAt": running["startedAt"]}
    folder = os.open(running["folder"], os.O_RDONLY | os.O_DIRECTORY)
    try:
        record.write(folder, record.EXIT, {**ended, "finishedAt": now, "reason": "Error", "message": why})
    finally:
        os.close(folder)
    if record.alive(running["monitorPid"], running["monitorTicks"]):
        with suppress(ProcessLookupError):
            os.kill(running["monitorPid"], signal.SIGKILL)


def mark(env: Mapping[str, str], id: str) -> dict[str, str]:
    return {**env, MARK: id}


def end_marked(running: Mapping[str, Any]) -> None:
    """SIGKILL to what a killed monitor without a PID namespace has left behind."""
    if running["confinement"]["pids"]:
        return
    wanted = f"{MARK}={running['id']}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                os.kill(int(entry.name), signal.SIGKILL)
        except OSError:
            continue


async def gone(pid: int, ticks: int) -> None:
    """Returns when this process has ended."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    except OSError:
        while record.alive(pid, ticks):  # noqa: ASYNC110 (there is no event to wait for)
            await asyncio.sleep(LOOK_EVERY_S)
        return
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    try:
        if record.ticks(pid) != ticks:  # another process has the number now
            return
        loop.add_reader(fd, _once, ended)
        try:
            await ended
        finally:
            loop.remove_reader(fd)
    finally:
        os.close(fd)


def _once(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
