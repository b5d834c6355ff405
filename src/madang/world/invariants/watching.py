"""A watcher misses nothing and sees nothing twice, in order, with the very bytes that are on disk.

In: lives. Out: watches of our own in each of them, compared with the disk's log, change by change.
"""

import asyncio
from bisect import bisect_right

from madang.ports.api import ListOptions
from madang.ports.errors import Expired, StatusError
from madang.ports.objects import Change, Kind
from madang.world.life import Life
from madang.world.world import World

KINDS: tuple[Kind, ...] = ("pods", "replicasets.apps", "configmaps", "endpointslices.discovery.k8s.io")


class Watching:
    def __init__(self, world: World) -> None:
        self._world = world
        self._seen: dict[Kind, int] = {}

    def born(self, life: Life) -> None:
        self._seen.clear()
        if life.pulse.dead:
            return
        for kind in KINDS:
            asyncio.get_running_loop().create_task(self._watch(life, kind), context=life.context)

    async def _watch(self, life: Life, kind: Kind) -> None:
        seen = ""
        while True:
            try:
                if not seen:
                    page = await life.api.list(kind, None, ListOptions())
                    seen = page.revision
                    self._seen[kind] = int(seen)
                async for change in life.api.watch(kind, None, since=seen):
                    self._compare(kind, int(seen), change)
                    seen = str(change.entry.revision)
                    self._seen[kind] = int(seen)
            except Expired:
                self._world.tally["window passed"] += 1
                seen = ""
            except StatusError:
                return  # the store is closed: the life leaves
            if life.leaving:
                return
            await asyncio.sleep(0.05)

    def _compare(self, kind: Kind, since: int, change: Change) -> None:
        log = self._world.disk.log.get(kind, [])
        at = bisect_right(log, since, key=lambda row: row.revision)
        got = change.entry.revision
        if at >= len(log):
            self._world.breach("a watcher sees what is on disk", f"{kind}: {got} after {since}, not on disk")
            return
        row = log[at]
        if row.revision != got or row.key != change.entry.key:
            name = "a watcher misses nothing and sees nothing twice"
            self._world.breach(name, f"{kind}: after {since} came {got}, not {row.revision} of {row.key.name}")
        elif (row.data is None) != (change.type == "DELETED"):
            self._world.breach("a watcher sees what is on disk", f"{kind}: {got} was shown as {change.type}")
        elif row.data is not None and row.data != change.entry.data:
            self._world.breach("a watcher sees what is on disk", f"{kind}: {got} was shown with other bytes")

    def settled(self) -> None:
        for kind, seen in self._seen.items():
            log = self._world.disk.log.get(kind, [])
            if log and log[-1].revision > seen:
                text = f"{kind}: {log[-1].revision} of {log[-1].key.name} was never shown; the last was {seen}"
                self._world.breach("a watcher misses nothing and sees nothing twice", text)
