"""What tests of runtimes share: the walls by name, a launch's log, who is alive."""

from collections.abc import Callable
from pathlib import Path

from madang.node.runtimes import confinement
from madang.node.runtimes.runtime import Launch

PYTHON = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else "python3"
WALLS = {walls.name: walls for walls in (*confinement.WAYS, confinement.NONE)}
MakeLaunch = Callable[..., Launch]


def logged(launch: Launch) -> list[str]:
    """The texts of the log's entries."""
    return [line.split(" ", 3)[3] for line in launch.log.read_text().splitlines()]


def processes(word: str) -> list[int]:
    """Living processes with this word in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and word.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found
