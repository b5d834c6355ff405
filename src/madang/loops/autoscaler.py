"""Beats once a second while there is a HorizontalPodAutoscaler, and stands still while there is none.

In: HPAs as they change, one-second samples (see `smoothing`). Out: new sizes, conditions, Events.
"""

import asyncio
import logging

from madang.control import autoscaler
from madang.control.autoscaler import KIND, NAME, Memory
from madang.control.controller import Ref
from madang.loops.controller_loop import service_account
from madang.loops.hand import Hand
from madang.loops.recorder import Recorder
from madang.loops.smoothing import Smoothing
from madang.loops.watcher import Watcher
from madang.ports.api import LocalApi
from madang.ports.clock import Clock
from madang.ports.objects import Change
from madang.ports.streams import Samples

log = logging.getLogger(__name__)
BEAT_S = 1.0


class AutoscalerLoop:
    def __init__(self, api: LocalApi, watcher: Watcher, clock: Clock, samples: Samples) -> None:
        mine: LocalApi = api.as_(service_account(NAME))  # type: ignore[assignment]
        self._api, self._clock, self._samples = api, clock, Smoothing(samples)
        self._recorder = Recorder(mine, clock, NAME)
        self._hand = Hand(mine, self._recorder, NAME)
        self._memory: dict[str, Memory] = {}
        self._targets: dict[Ref, str] = {}  # uid of each HPA
        self._some = asyncio.Event()
        watcher.listen(KIND, self._heard)

    def _heard(self, change: Change) -> None:
        meta = change.entry.obj["metadata"]
        ref, uid = Ref(meta["namespace"], meta["name"]), meta["uid"]
        if change.type == "DELETED":
            self._targets.pop(ref, None)
            self._memory.pop(uid, None)
        else:
            self._targets[ref] = uid
            self._some.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._recorder.run())
            group.create_task(self._beat())

    async def _beat(self) -> None:
        while True:
            if not self._targets:
                self._some.clear()
                await self._some.wait()
            for ref, uid in list(self._targets.items()):
                try:
                    await self._sync(ref, uid)
                except Exception:
                    log.exception("autoscaling %s/%s failed; again in %s s", ref.namespace, ref.name, BEAT_S)
            await self._clock.sleep(BEAT_S)

    async def _sync(self, ref: Ref, uid: str) -> None:
        usage = self._samples.pods(ref.namespace)
        memory = self._memory.get(uid, Memory())
        actions, memory = autoscaler.decide(ref, self._api.view, self._clock.now_s(), usage, memory)
        self._memory[uid] = memory
        await self._hand.carry_out(actions)
