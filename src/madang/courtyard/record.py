"""What a courtyard says of itself on disk: the lock that makes it the only one, and `run/courtyard.json`.

The record names the control process by pid and start time, so that a reused pid is not taken for it. `run/begun`
stands from the first step of a start until everything is down again: whoever finds it without a living control knows
that there is something to take over, or to put away.
"""

import fcntl
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from madang.node.runtimes.monitor import record as monitor
from madang.ports.process import started_ticks

BEGUN = "begun"
FORMAT = 1


class Taken(Exception):
    """Another control process holds this courtyard."""


def hold(home: Path, given: int = -1) -> int:
    """Makes the folders and takes the lock; the descriptor holds it until the process ends, however it ends. `given`:
    the lock itself, from whoever started us (so that a courtyard counts as being started from the first moment on)."""
    while True:
        try:
            for folder in (home, home / "run", home / "logs"):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if given >= 0:
                os.set_inheritable(given, False)
                return given
            fd = os.open(home / "run" / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:  # the state is being forgotten under our hands
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            raise Taken(str(home)) from None
        if _stands(home / "run" / "lock", fd):
            return fd
        os.close(fd)  # forgotten between the two steps: this is the lock of nothing


def _stands(path: Path, fd: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(fd).st_ino
    except FileNotFoundError:
        return False


def write(home: Path, record: dict[str, Any]) -> None:
    pid = os.getpid()
    aside = home / "run" / ".courtyard.json.new"
    aside.write_text(
        json.dumps({"format": FORMAT, "pid": pid, "started_ticks": started_ticks(pid), **record}, indent=1)
    )
    aside.replace(home / "run" / "courtyard.json")


def refuse_newer(home: Path) -> None:
    """What a newer madang has started can be neither watched nor stopped by us. Raises `monitor.record.Newer`."""
    for path in (home / "pods").glob(f"*/containers/*/*/{monitor.RUNNING}"):
        with suppress(json.JSONDecodeError, OSError):
            monitor.read(path.parent, monitor.RUNNING)


def begin(home: Path) -> None:
    (home / "run" / BEGUN).touch(mode=0o600)


def remove(home: Path, *, over: bool) -> None:
    """`over`: nothing of the courtyard is left; else only the control has ended."""
    (home / "run" / "courtyard.json").unlink(missing_ok=True)
    if over:
        (home / "run" / BEGUN).unlink(missing_ok=True)


def tell(fd: int, **word: Any) -> None:
    """One line of JSON to whoever started us; nobody may be listening any more."""
    if fd < 0:
        return
    try:
        os.write(fd, json.dumps(word).encode() + b"\n")
    except OSError:
        pass
    finally:
        os.close(fd)
