"""The agent of one node (what a kubelet is): registers it, and keeps a worker for each of its pods.

In: pods as they change (`offer`, `gone`). Out: the Node and its Lease, pods that run. A worker that breaks is a bug:
it is logged and started anew, and adopts what its forerunner left.
"""

import asyncio
import logging
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from madang.node.kit import Kit
from madang.node.launch.folders import Folders
from madang.node.machine.machine import Machine
from madang.node.machine.registrar import Registrar
from madang.node.machine.registration import Share
from madang.node.pod.phase import TERMINAL
from madang.node.worker.worker import PodWorker
from madang.ports.objects import Obj

log = logging.getLogger(__name__)
_RESTART_S = 1.0


class NodeAgent:
    def __init__(self, kit: Kit, machine: Machine, share: Share) -> None:
        self.kit, self.share = kit, share
        self.registrar = Registrar(kit, machine, share)
        self._workers: dict[str, PodWorker] = {}
        self._group: asyncio.TaskGroup | None = None
        self._leaving = False
        self._idle = asyncio.Event()  # set while there is no worker
        self._idle.set()
        self.worked: Callable[[], None] = lambda: None  # called when the number of workers changes

    @property
    def workers(self) -> Iterator[PodWorker]:
        return iter(list(self._workers.values()))

    def worker(self, namespace: str, name: str) -> PodWorker | None:
        for w in self._workers.values():
            meta = w.pod["metadata"]
            if meta["name"] == name and meta["namespace"] == namespace:
                return w
        return None

    async def run(self) -> None:
        """Until cancelled; what runs then goes on running."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(self.kit.events.run())
            await self.registrar.register()
            await asyncio.Event().wait()

    def offer(self, pod: Obj) -> None:
        """A pod of this node has changed. What counts is how it stands now: news may come late, and must not
        bring back a pod whose worker has finished."""
        meta = pod["metadata"]
        uid = meta["uid"]
        current = self.kit.api.view.get("pods", meta["namespace"], meta["name"])
        if current is None or current["metadata"]["uid"] != uid:
            return
        pod, worker = current, self._workers.get(uid)
        if worker is not None:
            worker.update(pod)
        elif self._group is not None and not self._leaving and _wanted(pod):
            self._begin(pod)

    def gone(self, pod: Obj) -> None:
        worker = self._workers.get(pod["metadata"]["uid"])
        if worker is not None:
            worker.removed()
        elif self._group is not None:
            logs = Folders(self.kit.home, pod).logs
            self._group.create_task(self._remove(logs))

    async def _remove(self, folder: Path) -> None:
        await self.kit.aside(partial(shutil.rmtree, folder, ignore_errors=True))

    def known(self, uids: set[str]) -> None:
        """These are all the pods that there are: what else we work for is gone."""
        for uid, worker in list(self._workers.items()):
            if uid not in uids:
                worker.removed()

    async def leave(self) -> None:
        """Stop every pod in order; their objects stay. Returns when nothing runs any more."""
        self._leaving = True
        for w in self.workers:
            w.leave()
        await self._idle.wait()
        await self.kit.events.flush()

    def _begin(self, pod: Obj) -> None:
        assert self._group is not None
        worker = PodWorker(self.kit, pod)
        self._workers[worker.work.uid] = worker
        self._idle.clear()
        self._group.create_task(self._work(worker), name=f"pod {pod['metadata']['name']}")
        self.worked()

    async def _work(self, worker: PodWorker) -> None:
        try:
            await worker.run()
        except Exception:
            log.exception("the worker of pod %s broke; it is started anew", worker.pod["metadata"]["name"])
            await self.kit.clock.sleep(_RESTART_S)
            del self._workers[worker.work.uid]
            self._begin(worker.pod)
            if worker.facts.removed:
                self._workers[worker.work.uid].removed()
            if worker.facts.leaving:
                self._workers[worker.work.uid].leave()
            return
        del self._workers[worker.work.uid]
        if not self._workers:
            self._idle.set()
        self.worked()


def _wanted(pod: Obj) -> bool:
    """A pod that has ended needs nobody, until it is to be deleted."""
    over = (pod.get("status") or {}).get("phase") in TERMINAL
    return not over or "deletionTimestamp" in pod["metadata"]
