"""One worker a pod: looks at what is known, reports it, decides, has it done; then waits until something happens.

In: the pod's object (`update`), and what the hands learn. Out: statuses and effects. An event only wakes it; every
cycle starts from the whole. It ends when nothing is left to do; cancelled, it leaves what runs running.
"""

import asyncio
import math
from dataclasses import replace

from madang.node.kit import Kit
from madang.node.machine.registration import says_ready
from madang.node.pod.actions import WakeAt
from madang.node.pod.decide import decide, ending
from madang.node.pod.facts import EVICTED, Container, Doom, Facts, Now
from madang.node.pod.stopping import put_off
from madang.node.pod.traffic import led, services
from madang.node.probes.handler import Target
from madang.node.volumes.volumes import tells_address, tells_fields, uses
from madang.node.worker.adoption import adopt
from madang.node.worker.hand import Hand
from madang.node.worker.status_board import StatusBoard
from madang.node.worker.work import PodWork
from madang.ports.objects import Obj

_STEPS = 50  # of one cycle: a decision that never comes to rest is a bug


class PodWorker:
    def __init__(self, kit: Kit, pod: Obj) -> None:
        self.work = PodWork(kit, pod)
        self._board = StatusBoard(self.work)
        self._hand = Hand(self.work, self._board)

    @property
    def pod(self) -> Obj:
        return self.work.pod

    @property
    def facts(self) -> Facts:
        return self.work.facts

    def update(self, pod: Obj) -> None:
        """A node that was taken for lost has its pods' readiness to say again."""
        before, self.work.pod = self.work.pod, pod
        if _asks_anew(before, pod):
            self.retry()
            if self.facts.sandbox == "ready" and tells_fields(pod):
                self._hand.sandbox.renew()
        if self.contradicted(pod):
            self._board.take(pod)
        self.work.wake()

    def contradicted(self, pod: Obj) -> bool:
        """Somebody says otherwise than we whether the pod is ready, though our node is there."""
        kit = self.work.kit
        return self._board.contradicted(pod) and says_ready(kit.api.view.get("nodes", "", kit.node) or {})

    def removed(self) -> None:
        """The object is gone: what runs has lost its reason."""
        self.facts.removed = True
        self.work.wake()

    def evict(self, message: str) -> None:
        """The machine has no more room for it."""
        self.facts.doom = Doom(EVICTED, message)
        self.work.emit("Warning", "Evicted", message)
        self.work.wake()

    def leave(self) -> None:
        """The courtyard goes down."""
        self.facts.leaving = True
        self._board.hurry()
        self.work.wake()

    def retry(self) -> None:
        """Something that this pod may have missed is there now."""
        refused: list[Facts | Container] = [self.facts, *self.facts.containers.values()]
        for one in refused:
            if one.refusal is not None:
                one.refusal = replace(one.refusal, retry_at_s=0.0)
        self.work.wake()

    def data_changed(self, kind: str, namespace: str, name: str) -> None:
        """A ConfigMap or Secret has changed."""
        if namespace != self.work.namespace:
            return
        if self.facts.refusal or any(c.refusal for c in self.facts.containers.values()):
            self.retry()
        made = self.facts.sandbox == "ready" or (
            self.facts.sandbox == "preparing" and (self.facts.ip or not tells_address(self.pod))
        )  # being made: its turn comes after
        if made and uses(self.pod, kind, name):
            self._hand.sandbox.renew()

    async def target(self, container: str) -> Target | None:
        """A running container as exec meets it."""
        return await self._hand.launching.target(container)

    async def told(self) -> None:
        """Until the API has heard of the present state."""
        await self._board.seen()
        await self._board.drain()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(self._board.run())
            self.work.begin(group)
            adopt(self.work, self._hand.sandbox, self._hand.following)
            self.work.spawn(self._hand.sandbox.keep_tokens())
            while not self.facts.finished:
                self.work.bell.clear()
                await _rest(group, self.work, self._cycle())
            self.work.end()
            writing.cancel()

    def _cycle(self) -> float:
        """One look at everything. Until when (steady seconds) to rest."""
        kit = self.work.kit
        if not self.facts.started_at_s:
            self.facts.started_at_s = kit.clock.now_s()
        for _ in range(_STEPS):
            held = self._board.held()
            if not held:
                self._board.look()
            now = kit.now()
            self._look_for_traffic(now)
            actions = decide(self.pod, self.facts, now)
            todo = [a for a in actions if not isinstance(a, WakeAt)]
            if not todo:
                wakes = [a.at_s for a in actions if isinstance(a, WakeAt)]
                return min([*wakes, *([self._board.held_until_s] if held else [])], default=math.inf)
            for action in todo:
                self._hand.do(action)
        raise RuntimeError(f"pod {self.pod['metadata']['name']}: decisions come to no rest: {todo}")

    def _look_for_traffic(self, now: Now) -> None:
        """Whether a Service leads here, asked only when the pod or a container of it is about to go."""
        facts = self.facts
        if not ending(self.pod, facts) and not any(c.unhealthy for c in facts.containers.values()):
            return
        view = self.work.kit.api.view
        choosing = services(self.pod, view)
        facts.served = bool(choosing)
        # When the courtyard goes down nobody changes slices any more; what is removed is in none.
        put_off(facts, now, not facts.leaving and not facts.removed and led(self.pod, view, choosing))


def _asks_anew(before: Obj, after: Obj) -> bool:
    """What was refused may be had as the pod is now: its environment, paths and files tell of labels and annotations,
    too."""
    old, new = before["metadata"], after["metadata"]
    same = all((old.get(k) or {}) == (new.get(k) or {}) for k in ("labels", "annotations"))
    return not same or old.get("generation") != new.get("generation")


async def _rest(group: asyncio.TaskGroup, work: PodWork, until_s: float) -> None:
    """Until woken, or until that steady second."""
    if math.isinf(until_s):
        await work.bell.wait()
        return
    timer = group.create_task(_ring(work, until_s - work.kit.clock.monotonic_s()))
    try:
        await work.bell.wait()
    finally:
        timer.cancel()


async def _ring(work: PodWork, seconds: float) -> None:
    await work.kit.clock.sleep(max(seconds, 0.0))
    work.wake()
