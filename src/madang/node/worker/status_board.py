"""When the state of a pod is shown to the world: never one half of a start, and never nothing of a short life.

In: the pod at work. Out: statuses, offered to the one who writes them; whoever waits for the present moment to have
been shown (`seen`) goes on afterwards.
"""

import asyncio

from madang.kinds.phase import ended
from madang.node.pod import spec
from madang.node.pod.facts import impression
from madang.node.pod.status import status, worth_showing
from madang.node.worker.status_writer import StatusWriter
from madang.node.worker.work import PodWork
from madang.ports.objects import Obj

_BATCH_S = 0.1  # containers that start together are shown together, unless one of them takes longer


class StatusBoard:
    def __init__(self, work: PodWork) -> None:
        self._work = work
        self._writer = StatusWriter(work.kit.api, work.kit.clock, work.pod)
        self._unseen: list[asyncio.Future[None]] = []
        self._shown: tuple[object, ...] = ()  # what was offered last was made from
        self.held_until_s = 0.0  # steady; what `held` waits for at the longest

    async def run(self) -> None:
        await self._writer.run()

    def hurry(self) -> None:
        self._writer.hurry()

    def contradicted(self, pod: Obj) -> bool:
        return self._writer.contradicted(pod)

    def take(self, pod: Obj) -> None:
        self._writer.take(pod)

    async def drain(self) -> None:
        """Until all that was shown is written, or the pod is gone."""
        await self._writer.drain()

    async def seen(self) -> None:
        """Until the present state has been offered for writing (or is none that is shown)."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unseen.append(future)
        self._work.wake()
        await future

    def show(self, *, final: bool = False) -> None:
        """Offer the present status for writing; where nothing is new since the last time it is the same."""
        pod, kit, facts, writer = self._work.pod, self._work.kit, self._work.facts, self._writer
        seen = impression(facts)
        shown = self._shown
        if shown and shown[0] is pod and shown[1] is writer.latest and shown[2] == final and shown[3] == seen:
            return
        writer.offer(status(pod, facts, writer.before(pod), kit.now(), kit.host_ip, final=final))
        self._shown = (pod, writer.latest, final, impression(facts))

    def look(self) -> None:
        """Show this moment, where it is one that is shown."""
        pod, facts = self._work.pod, self._work.facts
        over = ended(pod)
        if not over and not facts.finishing and worth_showing(pod, facts):
            self.show()
        for future in self._unseen:
            if not future.done():
                future.set_result(None)
        self._unseen.clear()

    def held(self) -> bool:
        """Whether a status now would show one half of containers that are being started together."""
        mains = [self._work.facts.of(r.name) for r in spec.mains(self._work.pod)]
        half = any(c.starting for c in mains) and any(c.running for c in mains)
        now = self._work.kit.clock.monotonic_s()
        if not half:
            self.held_until_s = now + _BATCH_S
        return half and now < self.held_until_s
