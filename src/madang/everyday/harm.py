"""Harms one instance of a service on purpose, to see it heal.

kill: SIGKILL to its program. hang: its processes stop answering (SIGSTOP) until a probe has them replaced or the time
is over. slow: they get a tenth of the time. What was stopped goes on afterwards by a small process of its own
(`affliction` is its command line), so that nobody has to wait for it.
"""

import json
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from madang.everyday.service import pods_of
from madang.ports.api import Api
from madang.ports.errors import StatusError
from madang.ports.objects import Obj
from madang.ports.process import started_ticks

How = Literal["kill", "hang", "slow"]
WAYS: tuple[How, ...] = get_args(How)
STOPPED_S, RUNNING_S = 0.09, 0.01  # slow: of each tenth of a second


class NothingRuns(StatusError):
    code, reason = 409, "Conflict"


@dataclass(frozen=True, slots=True)
class Victim:
    """`ticks` with the pid names the process for ever."""

    pod: str
    pid: int
    ticks: int


async def victim(api: Api, home: Path, namespace: str, service: str) -> Victim:
    """The oldest running instance. Raises UnknownService, NothingRuns."""
    for pod in await pods_of(api, namespace, service):
        if pod.get("status", {}).get("phase") == "Running" and (found := program_of(home, pod)):
            return found
    raise NothingRuns(f"no instance of {service!r} runs now; nothing was harmed")


def program_of(home: Path, pod: Obj) -> Victim | None:
    """The pod's first living program, from its monitor's record."""
    # Not in all of the pod's folder: in its volumes programs write what they like, and there may be much of it.
    for path in (home / "pods" / pod["metadata"]["uid"]).glob("containers/*/*/running.json"):
        try:
            record = json.loads(path.read_bytes())
        except FileNotFoundError:  # it has just ended
            continue
        pid, ticks = int(record["pid"]), int(record["startedTicks"])
        if started_ticks(pid) == ticks:
            return Victim(pod["metadata"]["name"], pid, ticks)
    return None


def kill(one: Victim) -> None:
    """Raises NothingRuns: it has ended meanwhile."""
    try:
        os.kill(one.pid, signal.SIGKILL)
    except ProcessLookupError:
        raise NothingRuns(f"{one.pod} has just ended by itself; nothing was harmed") from None


def affliction(one: Victim, how: How, seconds: float) -> list[str]:
    """For a session of its own: it ends with the time, or when the victim has been replaced."""
    return [sys.executable, "-m", "madang.everyday.harm", how, str(one.pid), str(one.ticks), str(seconds)]


def tree(pid: int) -> list[int]:
    import psutil

    try:
        process = psutil.Process(pid)
        return [pid, *(child.pid for child in process.children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def tell(pid: int, number: signal.Signals) -> None:
    for each in tree(pid):
        try:
            os.kill(each, number)
        except ProcessLookupError:
            continue


def afflict(how: str, pid: int, ticks: int, seconds: float) -> None:
    """Runs in a process of its own, until the time is over or the victim has been replaced."""
    deadline = time.monotonic() + seconds
    try:
        while started_ticks(pid) == ticks and (left := deadline - time.monotonic()) > 0:
            tell(pid, signal.SIGSTOP)
            time.sleep(min(left, STOPPED_S if how == "slow" else 0.5))
            if how == "slow":
                tell(pid, signal.SIGCONT)
                time.sleep(RUNNING_S)
    finally:
        if started_ticks(pid) == ticks:
            tell(pid, signal.SIGCONT)


if __name__ == "__main__":
    afflict(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
