"""What outlives the keeper: `gateway.json`, which says which worker holds the sockets."""

from __future__ import annotations

import json
import os

from madang.gateway.keeper.process import started_ticks

TYPE_CHECKING = False  # typing itself would cost a megabyte
if TYPE_CHECKING:
    from madang.gateway.keeper.worker import Worker

FORMAT = 1  # of the protocol and of the state file; a newer `madang` replaces an older keeper
NAME = "gateway.json"


def write_down(run: str, worker: Worker) -> None:
    """For who comes after this keeper's own death: which worker holds the sockets."""
    path = os.path.join(run, NAME)
    state = {"format": FORMAT, "keeper": os.getpid(), "worker": worker.told(), "ticks": started_ticks(worker.pid)}
    with open(path + ".new", "w", encoding="utf-8") as out:
        json.dump(state, out)
    os.rename(path + ".new", path)


def orphan(run: str) -> tuple[int, int] | None:
    """The worker that was written down last, if it lives: (pid, ticks)."""
    try:
        with open(os.path.join(run, NAME), encoding="utf-8") as told:
            state = json.load(told)
        pid, ticks = state["worker"]["pid"], state["ticks"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return (pid, ticks) if started_ticks(pid) == ticks else None
