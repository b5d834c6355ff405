"""What outlives the keeper: `gateway.json`, which says which worker holds the sockets; and the workers themselves."""

from __future__ import annotations

import json
import os
from contextlib import suppress

from madang.porch.process import started_ticks

TYPE_CHECKING = False  # typing itself would cost a megabyte
if TYPE_CHECKING:
    from madang.gateway.keeper.worker import Worker

FORMAT = 1  # of the protocol and of the state file; a newer `madang` replaces an older keeper
NAME = "gateway.json"


def write_down(run: str, worker: Worker) -> None:
    """For who comes after this keeper's own death: which worker holds the sockets. On a full disk nobody is told, and
    what serves goes on: workers are found without it (`orphans`)."""
    path = os.path.join(run, NAME)
    state = {"format": FORMAT, "keeper": os.getpid(), "worker": worker.told(), "ticks": started_ticks(worker.pid)}
    with suppress(OSError):
        with open(path + ".new", "w", encoding="utf-8") as out:
            json.dump(state, out)
        os.rename(path + ".new", path)


def orphans(run: str) -> list[tuple[int, int]]:
    """Workers of this courtyard whose keeper is dead, as (pid, ticks). They are known by what they were started with:
    a keeper that was killed had no time to write down the last one."""
    try:
        begun = any(name == NAME or name.startswith("gateway-") for name in os.listdir(run))
    except OSError:
        begun = False
    if not begun:  # so that a first start looks through no processes
        return []
    place = os.path.join(os.path.dirname(os.path.abspath(run)), "gateway", "")
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and _configured(name).startswith(place) and (ticks := started_ticks(int(name))):
            found.append((int(name), ticks))
    return found


def _configured(pid: str) -> str:
    """The configuration file of a HAProxy; nothing of another process."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as told:
            words = told.read().split(b"\0")
    except OSError:
        return ""
    return os.fsdecode(words[3]) if words[1:3] == [b"-db", b"-f"] else ""
