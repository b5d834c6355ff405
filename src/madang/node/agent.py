"""The agent of one node (what a kubelet is): registers it, and keeps a worker for each of its pods.

In: pods and the Node as they change (`offer`, `gone`, `node`), asks whether it is there. Out: the Node and its Lease,
answers, pods that run. A worker that breaks is a bug: it is logged and started anew, and adopts what its forerunner
left; so is the agent itself. One that somebody broke on purpose (`registration.BROKEN`) does nothing until that word
is taken away from its Node.
"""

import asyncio
import logging
import shutil
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from madang.kinds.phase import ended
from madang.node.kit import Kit
from madang.node.launch.folders import Folders
from madang.node.machine.machine import Machine
from madang.node.machine.registrar import Registrar
from madang.node.machine.registration import Share, broken
from madang.node.runtimes.runtime import SignalRefused
from madang.node.worker.worker import PodWorker
from madang.ports.objects import Obj

log = logging.getLogger(__name__)
_RESTART_S = 1.0
_RETRY_S = 0.5


class NodeAgent:
    """`tidy` puts away what pods left that are no more; `answer` tells that this agent is there."""

    def __init__(self, kit: Kit, machine: Machine, share: Share) -> None:
        self.kit, self.share = kit, share
        self.registrar = Registrar(kit, machine, share)
        self._workers: dict[str, PodWorker] = {}
        self._group: asyncio.TaskGroup | None = None
        self._leaving = False
        self._idle = asyncio.Event()  # set while there is no worker
        self._idle.set()
        self._told = asyncio.Event()  # something about the node itself
        self.has_taken_over = asyncio.Event()  # there is a worker for each pod that was there
        self.broken = ""  # how, by whoever wanted to see it
        self._turned = asyncio.Event()  # `broken` has changed
        self.worked: Callable[[], None] = lambda: None  # called when the number of workers changes
        self.answer: Callable[[], None] = lambda: None
        self.tidy: Callable[[], Awaitable[None]] | None = None

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
        self.node(self.kit.api.view.get("nodes", "", self.share.name))
        again = False
        while True:
            self._turned.clear()
            if self.broken and not self._leaving:
                await self._turned.wait()
            else:
                held = await self._until_turned(again)
                if self.broken == "kill":
                    await end_programs(held)
            again = True

    async def _until_turned(self, again: bool) -> list[PodWorker]:
        """One life, until somebody breaks it. The workers that it had."""
        life, turned = asyncio.ensure_future(self._live(again)), asyncio.ensure_future(self._turned.wait())
        try:
            await asyncio.wait({life, turned}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._group = None
            life.cancel()
            turned.cancel()
            await asyncio.gather(life, turned, return_exceptions=True)
            held = list(self._workers.values())
            self._workers.clear()
        if not life.cancelled() and (bug := life.exception()) is not None:
            log.error("the agent of %s broke; it is started anew", self.share.name, exc_info=bug)
            await self.kit.clock.sleep(_RESTART_S)
        return held

    async def _live(self, again: bool) -> None:
        async with asyncio.TaskGroup() as group:
            self._group = group
            self.registrar.begin()
            group.create_task(self.kit.events.run())
            if again and self.tidy is not None:
                await self.tidy()
            self._take_over()
            self.has_taken_over.set()
            await tell_taken(self.share.name, self.workers)
            while True:
                self._told.clear()
                well = self._leaving or await self.registrar.keep()
                self.answer()
                if well:
                    await self._told.wait()
                else:
                    await self.kit.clock.sleep(_RETRY_S)

    def _take_over(self) -> None:
        """All pods of this node, whoever looked after them before."""
        for pod in self.kit.api.view.list("pods", node=self.share.name):
            if pod["metadata"]["uid"] not in self._workers and _wanted(pod):
                self._begin(pod)
        if self._leaving:
            for w in self.workers:
                w.leave()
        if not self._workers:
            self._idle.set()

    def node(self, node: Obj | None) -> None:
        """Our Node has changed, or is gone: then it is registered again, unless we are broken."""
        how = self.broken if node is None else broken(node)
        if how != self.broken:
            log.warning("node %s: %s", self.share.name, f"broken on purpose ({how})" if how else "works again")
            self.broken = how
            self._turned.set()
        self._told.set()
        for w in self.workers:  # their readiness may have been denied while the node was not ready
            pod = self.kit.api.view.get("pods", w.work.namespace, w.pod["metadata"]["name"])
            if pod is not None and pod["metadata"]["uid"] == w.work.uid and w.contradicted(pod):
                w.update(pod)

    def asked(self) -> None:
        """Whether we are there: the answer comes from where the work is done."""
        self._told.set()

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
            self._group.create_task(remove(self.kit, logs))

    def known(self, uids: set[str]) -> None:
        """These are all the pods that there are: what else we work for is gone."""
        for uid, worker in list(self._workers.items()):
            if uid not in uids:
                worker.removed()

    async def leave(self) -> None:
        """Stop every pod in order; their objects stay. Returns when nothing runs any more."""
        self._leaving = True
        if self._group is None:  # broken: what it had left running is taken over, and stopped
            self._idle.clear()
            self._turned.set()
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
    over = ended(pod)
    return not over or "deletionTimestamp" in pod["metadata"]


async def remove(kit: Kit, folder: Path) -> None:
    await kit.aside(partial(shutil.rmtree, folder, ignore_errors=True))


async def end_programs(workers: Sequence[PodWorker]) -> None:
    """As when the machine loses its power: at once, and nobody writes it down."""
    for w in workers:
        for c in w.facts.containers.values():
            if c.running is not None:
                try:
                    await w.work.runtime.kill(c.running)
                except SignalRefused as refused:
                    log.warning("%s", refused)


async def tell_taken(name: str, workers: Iterable[PodWorker]) -> None:
    """A worker takes over what runs in its first step."""
    await asyncio.sleep(0)
    taken = sum(1 for w in workers for c in w.facts.containers.values() if c.running is not None)
    if taken:
        log.info("%s: took over %d programs that run", name, taken)
