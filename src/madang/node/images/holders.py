"""Who uses an image, as a file name that outlives processes: `UID@COURTYARD` is a pod, `build-PID-TICKS` a build.

In: such a name, and the folder in which the courtyards are. Out: whether there is such a one still. What a courtyard
held that was forgotten, and what a build held that was killed, goes with them.
"""

import os
from pathlib import Path

from madang.ports.process import started_ticks

BUILD = "build-"


def of_pod(uid: str, court: str) -> str:
    return f"{uid}@{court}" if court else uid


def of_this_process() -> str:
    return f"{BUILD}{os.getpid()}-{started_ticks(os.getpid())}"


def court_of(name: str) -> str:
    """Empty where it is none's."""
    return name.rpartition("@")[2] if "@" in name else ""


def lives(name: str, courts: Path) -> bool:
    """What a name means that is not ours to read stays."""
    if court := court_of(name):
        return (courts / court).is_dir()
    pid, _, ticks = name.removeprefix(BUILD).partition("-")
    if name.startswith(BUILD) and pid.isdigit():
        return str(started_ticks(int(pid))) == ticks
    return True
