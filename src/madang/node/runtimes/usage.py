"""CPU and memory of containers that have no cgroup: their processes, found below their monitor in /proc.

In: a monitor's pid. Out: a `Sample`. One walk over /proc serves all containers for two seconds; between walks only
the processes that are known are read.
"""

import os
import time

from madang.node.runtimes.monitor.limits import PAGE, stat_fields
from madang.node.runtimes.runtime import Sample

WALK_EVERY_S = 2.0
TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


class Processes:
    """Who stands below whom, as of the last walk."""

    def __init__(self) -> None:
        self._children: dict[int, list[int]] = {}
        self._walked_at = -WALK_EVERY_S

    def below(self, root: int, *, fresh: bool = False) -> list[int]:
        now = time.monotonic()
        if fresh or now - self._walked_at >= WALK_EVERY_S:
            self._walk()
            self._walked_at = now
        found, todo = [], [root]
        while todo:
            children = self._children.get(todo.pop(), [])
            found += children
            todo += children
        return found

    def _walk(self) -> None:
        self._children = {}
        for name in os.listdir("/proc"):
            if name.isdigit() and (fields := stat_fields(name)) is not None:
                self._children.setdefault(int(fields[1]), []).append(int(name))

    def sample(self, monitor: int) -> Sample | None:
        """The monitor's own time is not the container's, but that of its dead children is."""
        top = stat_fields(monitor)
        if top is None:
            return None
        ticks, memory, pids = int(top[13]) + int(top[14]), 0, []
        for pid in self.below(monitor):
            if (fields := stat_fields(pid)) is None:
                continue
            ticks += sum(int(field) for field in fields[11:15])
            memory += int(fields[21]) * PAGE
            pids.append(pid)
        return Sample(ticks * TICK_NS, memory, tuple(pids))
