"""A process as its number and its hour of birth, which together name one process for ever."""

import os
from contextlib import suppress


def started_ticks(pid: int) -> int:
    """Field 22 of /proc/PID/stat. 0 where there is none, or a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
        return 0 if fields[0] == b"Z" else int(fields[19])
    except (OSError, ValueError, IndexError):
        return 0


def signal_to(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
