"""One worker a pod: looks at what is known, reports it, decides, has it done; then waits until something happens.

In: the pod's object (`update`), and what the hand learns. Out: statuses and effects. An event only wakes it; every
cycle starts from the whole. It ends when nothing is left to do; cancelled, it leaves what runs running.
"""

import asyncio
import math

from madang.node.adoption import adopt
from madang.node.hand import Hand
from madang.node.kit import Kit
from madang.node.pod import spec
from madang.node.pod.actions import WakeAt
from madang.node.pod.decide import decide, ending
from madang.node.pod.facts import Facts
from madang.node.pod.phase import TERMINAL
from madang.node.pod.status import status, worth_showing
from madang.node.status_writer import StatusWriter
from madang.node.volumes.volumes import tells_address, uses
from madang.ports.objects import Obj

_BATCH_S = 0.1  # containers that start together are shown together, unless one of them takes longer
_STEPS = 50  # of one cycle: a decision that never comes to rest is a bug


class PodWorker:
    def __init__(self, kit: Kit, pod: Obj) -> None:
        self.kit = kit
        self.pod = pod
        self.facts = Facts()
        self.hand = Hand(kit, self)
        self.writer = StatusWriter(kit.api, kit.clock, pod)
        self._wake = asyncio.Event()
        self._held_until_s = 0.0
        self._unseen: list[asyncio.Future[None]] = []

    @property
    def uid(self) -> str:
        return str(self.pod["metadata"]["uid"])

    def update(self, pod: Obj) -> None:
        self.pod = pod
        self._wake.set()

    def removed(self) -> None:
        """The object is gone: what runs has lost its reason."""
        self.facts.removed = True
        self._wake.set()

    def leave(self) -> None:
        """The courtyard goes down."""
        self.facts.leaving = True
        self.writer.hurry()
        self._wake.set()

    def wake(self) -> None:
        self._wake.set()

    def retry(self) -> None:
        """Something that this pod may have missed is there now."""
        for refusal in (self.facts.refusal, *(c.refusal for c in self.facts.containers.values())):
            if refusal is not None:
                refusal.retry_at_s = 0.0
        self._wake.set()

    def data_changed(self, kind: str, namespace: str, name: str) -> None:
        """A ConfigMap or Secret has changed."""
        if namespace != self.pod["metadata"]["namespace"]:
            return
        if self.facts.refusal or any(c.refusal for c in self.facts.containers.values()):
            self.retry()
        made = self.facts.sandbox == "ready" or (
            self.facts.sandbox == "preparing" and (self.facts.ip or not tells_address(self.pod))
        )  # being made: its turn comes after
        if made and uses(self.pod, kind, name):
            self.hand.sandbox.renew()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(self.writer.run())
            self.hand.begin(group)
            adopt(self.kit, self.pod, self.facts, self.hand)
            self.hand.spawn(self.hand.sandbox.keep_tokens())
            while not self.facts.finished:
                self._wake.clear()
                await _rest(group, self.kit, self._wake, self._cycle())
            self.hand.end()
            writing.cancel()

    async def seen(self) -> None:
        """Until the present state has been offered for writing (or is none that is shown)."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unseen.append(future)
        self._wake.set()
        await future

    def show(self, *, final: bool = False) -> None:
        """Offer the present status for writing."""
        before = self.writer.before(self.pod)
        found = status(self.pod, self.facts, before, self.kit.now(), self.kit.host_ip, final=final)
        self.writer.offer(found)

    def _cycle(self) -> float:
        """One look at everything. Until when (steady seconds) to rest."""
        if not self.facts.started_at_s:
            self.facts.started_at_s = self.kit.clock.now_s()
        for _ in range(_STEPS):
            held = self._held()
            if not held:
                self._look()
            now = self.kit.now()
            self._look_for_traffic()
            actions = decide(self.pod, self.facts, now)
            todo = [a for a in actions if not isinstance(a, WakeAt)]
            if not todo:
                wakes = [a.at_s for a in actions if isinstance(a, WakeAt)]
                return min([*wakes, *([self._held_until_s] if held else [])], default=math.inf)
            for action in todo:
                self.hand.do(action)
        raise RuntimeError(f"pod {self.pod['metadata']['name']}: decisions come to no rest: {todo}")

    def _look(self) -> None:
        """Show this moment, where it is one that is shown."""
        over = (self.pod.get("status") or {}).get("phase") in TERMINAL
        if not over and not self.facts.finishing and worth_showing(self.pod, self.facts):
            self.show()
        for future in self._unseen:
            if not future.done():
                future.set_result(None)
        self._unseen.clear()

    def _held(self) -> bool:
        """Whether a status now would show one half of containers that are being started together."""
        mains = [self.facts.of(r.name) for r in spec.mains(self.pod)]
        half = any(c.starting for c in mains) and any(c.running for c in mains)
        now = self.kit.clock.monotonic_s()
        if not half:
            self._held_until_s = now + _BATCH_S
        return half and now < self._held_until_s

    def _look_for_traffic(self) -> None:
        """Whether a Service leads here, asked only when the pod or a container of it is about to go."""
        if not ending(self.pod, self.facts) and not any(c.unhealthy for c in self.facts.containers.values()):
            return
        meta = self.pod["metadata"]
        labels = (meta.get("labels") or {}).items()
        self.facts.served = any(
            s["spec"].get("selector") and s["spec"]["selector"].items() <= labels
            for s in self.kit.api.view.list("services", meta["namespace"])
        )


async def _rest(group: asyncio.TaskGroup, kit: Kit, wake: asyncio.Event, until_s: float) -> None:
    """Until woken, or until that steady second."""
    if math.isinf(until_s):
        await wake.wait()
        return
    timer = group.create_task(_ring(kit, wake, until_s - kit.clock.monotonic_s()))
    try:
        await wake.wait()
    finally:
        timer.cancel()


async def _ring(kit: Kit, wake: asyncio.Event, seconds: float) -> None:
    await kit.clock.sleep(max(seconds, 0.0))
    wake.set()
