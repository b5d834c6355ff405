"""Which process a pid means: with the time when it started, a pid names one process for ever.

In: a pid. Out: clock ticks since boot (/proc/PID/stat, field 22), None where there is no such process.
"""

from pathlib import Path


def started_ticks(pid: int) -> int | None:
    """None also for a zombie: the first process of many a container buries nobody."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])
