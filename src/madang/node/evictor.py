"""The hand on pressure: looks at what runs low, makes room that costs nobody anything, then has one pod go.

In: figures of the machine (`machine.figures`), the samples of containers. Out: the pressure that nodes report; images
let go; one worker told that its pod is evicted. A pressure for which a pod went is reported for some time after, as a
kubelet does, so that its successor does not come at once and meet the same.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from madang.node.agent import NodeAgent
from madang.node.aside import Aside
from madang.node.eviction.decision import Candidate, Low, Part, choose
from madang.node.machine.machine import MEMORY_LOW_BYTES as MEMORY_LOW
from madang.node.machine.machine import Figures, Pressure, disk_threshold_bytes, low
from madang.node.pod import spec
from madang.node.volumes.volumes import limits, overfull
from madang.node.volumes.weight import size
from madang.node.worker.worker import PodWorker
from madang.ports.clock import Clock
from madang.ports.streams import Samples

log = logging.getLogger(__name__)
LOOK_S = 10.0  # between two looks
HELD_S = 300.0  # a kubelet's eviction-pressure-transition-period


class Evictor:
    """`make_room` lets go of what can be had again, and says how much went; it may take its time in a thread."""

    def __init__(self, clock: Clock, samples: Samples, aside: Aside, make_room: Callable[[], int]) -> None:
        self._clock, self._samples, self._aside, self._make_room = clock, samples, aside, make_room
        self._until: dict[str, float] = {}

    async def run(self, figures: Callable[[], Figures], agents: Sequence[NodeAgent], works: asyncio.Event) -> None:
        """A look now and then while something runs. Volumes are weighed last: that may take its time."""
        while True:
            await works.wait()
            await self._clock.sleep(LOOK_S)
            workers = [w for a in agents if not a.broken for w in a.workers]
            found = await self.look(figures(), workers)
            for a in agents:
                if not a.broken:
                    await a.registrar.report(found)
            await self.weigh(workers)

    async def look(self, figures: Figures, workers: Sequence[PodWorker]) -> Pressure:
        """One look. What the nodes are to say."""
        found = low(figures)
        if found.disk and await self._aside(lambda: self._make_room() > 0):
            return self._held(found)  # the next look sees what came of it
        if found.memory and not going(workers):
            ram = Low("memory", MEMORY_LOW, figures.memory_available, f"{MEMORY_LOW >> 20}Mi")
            self._evict(ram, [self._by_memory(w) for w in workers], workers)
        elif figures.disk_available < disk_threshold_bytes(figures.disk_total) and not going(workers):
            used = await self._aside(
                partial(stored, [w.work.folders.root for w in workers], [logs(w) for w in workers])
            )
            disk = Low("ephemeral-storage", disk_threshold_bytes(figures.disk_total), figures.disk_available)
            self._evict(disk, [_by_disk(w, n) for w, n in zip(workers, used, strict=True)], workers)
        return self._held(found)

    async def weigh(self, workers: Iterable[PodWorker]) -> None:
        """Whose emptyDir holds more than its limit goes, whatever room the machine has."""
        for worker in workers:
            allowed = limits(worker.pod)
            if allowed and not worker.facts.evicted and not worker.facts.finished:
                folders = worker.work.kit.volumes.empty_folders(worker.pod)
                if why := await self._aside(partial(overfull, allowed, folders)):
                    log.warning("pod %s is evicted: %s", worker.pod["metadata"]["name"], why)
                    worker.evict(why)

    def _evict(self, what: Low, pods: Sequence[Candidate], workers: Iterable[PodWorker]) -> None:
        chosen = choose(what, pods)
        if chosen is None:
            return
        uid, message = chosen
        self._until[what.resource] = self._clock.monotonic_s() + HELD_S
        for worker in workers:
            if worker.work.uid == uid:
                log.warning("pod %s is evicted: %s", worker.pod["metadata"]["name"], message)
                worker.evict(message)

    def _held(self, found: Pressure) -> Pressure:
        now = self._clock.monotonic_s()
        held = {name for name, until in self._until.items() if now < until}
        return Pressure(found.memory or "memory" in held, found.disk or "ephemeral-storage" in held, found.pids)

    def _by_memory(self, worker: PodWorker) -> Candidate:
        meta = worker.pod["metadata"]
        usage = self._samples.pod(meta["namespace"], meta["name"])
        used = {name: u.memory_bytes for name, u in usage.containers.items()} if usage is not None else {}
        return _candidate(worker, "memory", used, 0)


def _by_disk(worker: PodWorker, stored_bytes: int) -> Candidate:
    """Logs, writable layers and volumes are counted together."""
    return _candidate(worker, "ephemeral-storage", {}, stored_bytes)


def _candidate(worker: PodWorker, resource: str, used: dict[str, int], shared: int) -> Candidate:
    if worker.facts.evicted or not any(c.running for c in worker.facts.containers.values()):
        return Candidate(worker.work.uid, 0, ())
    parts = []
    for role in spec.roles(worker.pod):
        if role.kind != "init":
            asked = ((role.spec.get("resources") or {}).get("requests") or {}).get(resource, 0)
            parts.append(Part(role.name, int(used.get(role.name, 0)), int(spec.quantity(asked))))
    return Candidate(worker.work.uid, int(worker.pod["spec"].get("priority") or 0), tuple(parts), shared)


def going(workers: Iterable[PodWorker]) -> bool:
    """Whether one that was evicted has not gone yet."""
    return any(w.facts.evicted and not w.facts.finished for w in workers)


def logs(worker: PodWorker) -> Path:
    return worker.work.folders.logs


def stored(roots: Sequence[Path], logs: Sequence[Path]) -> list[int]:
    """Bytes on disk below each pod's folders. Walks them: for a thread, and only where the disk is low."""
    return [size(root) + size(log) for root, log in zip(roots, logs, strict=True)]
