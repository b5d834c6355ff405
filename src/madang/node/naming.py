"""Keeps the hosts files of running pods up to date while Services come and go, beside the event loop.

In: Services as they change (`follow`), or word that names have; the pods' workers. Out: files, each written only when
its text is another. Changes that come in a burst are one turn, those that come while it is written the next one.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple
from weakref import WeakKeyDictionary

from madang.node.aside import Aside
from madang.node.follow import follow
from madang.node.names.hosts import write
from madang.node.names.names import Names
from madang.node.worker.worker import PodWorker
from madang.ports.api import LocalApi
from madang.ports.clock import Clock
from madang.ports.objects import Obj

log = logging.getLogger(__name__)
GATHER_S = 0.01  # Services change in bursts
AT_ONCE = 32  # files that one piece of work writes; between two the loop has its turn


class Due(NamedTuple):
    worker: PodWorker
    path: Path
    parts: tuple[str, str]


class Naming:
    def __init__(self, names: Names, clock: Clock, aside: Aside, workers: Callable[[], Iterator[PodWorker]]) -> None:
        self._names, self._clock, self._aside, self._workers = names, clock, aside, workers
        self._changed = asyncio.Event()
        self._written: WeakKeyDictionary[PodWorker, tuple[str, str]] = WeakKeyDictionary()

    def changed(self) -> None:
        self._names.forget()
        self._changed.set()

    async def follow(self, api: LocalApi) -> None:
        """What names come from: Services, and the endpoints of those that have no address of their own."""

        def sliced(endpoints: Obj, gone: bool) -> None:
            meta = endpoints["metadata"]
            name = (meta.get("labels") or {}).get("kubernetes.io/service-name", "")
            service = api.view.get("services", meta["namespace"], name)
            if service is not None and service["spec"].get("clusterIP") == "None":
                self.changed()

        async with asyncio.TaskGroup() as group:
            group.create_task(follow(api, self._clock, "services", lambda service, gone: self.changed()))
            group.create_task(follow(api, self._clock, "endpointslices.discovery.k8s.io", sliced))

    async def run(self) -> None:
        while True:
            await self._changed.wait()
            await self._clock.sleep(GATHER_S)
            self._changed.clear()
            await self._renew()

    async def _renew(self) -> None:
        workers = [w for w in self._workers() if w.facts.ip and w.facts.sandbox == "ready"]
        for start in range(0, len(workers), AT_ONCE):
            due = [
                d for d in map(self._due, workers[start : start + AT_ONCE]) if self._written.get(d.worker) != d.parts
            ]
            if due:
                await self._aside(partial(write_all, due))
            else:
                await asyncio.sleep(0)
            self._written.update({d.worker: d.parts for d in due})

    def _due(self, worker: PodWorker) -> Due:
        return Due(worker, worker.work.folders.hosts, self._names.parts(worker.pod, worker.facts.ip))


def write_all(due: Sequence[Due]) -> None:
    for worker, path, parts in due:
        try:
            write(path, "".join(parts))
        except OSError as fault:
            log.warning("names of pod %s: %s", worker.pod["metadata"]["name"], fault)
