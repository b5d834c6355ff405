"""Drives one controller: changes wake keys, workers decide them, the hand carries out.

In: a controller (its watches and `decide`), the API. Out: writes. Level-triggered: a decision always reads the
committed view again, and a key's next decision waits until the writes of its last are visible there.
"""

import asyncio
import logging
from collections.abc import Callable

from madang.control.controller import Controller, Ref, Waker, wake_self
from madang.loops.hand import Hand
from madang.loops.queue import KeyedQueue
from madang.loops.recorder import Recorder
from madang.loops.watcher import Listener, Watcher
from madang.ports.api import LocalApi, User
from madang.ports.chance import Chance
from madang.ports.clock import Clock
from madang.ports.objects import Change, Obj

log = logging.getLogger(__name__)
WORKERS = 8  # at most; each comes when those that are there are busy, and stays


def service_account(name: str) -> User:
    groups = ("system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated")
    return User(f"system:serviceaccount:kube-system:{name}", groups)


def same(now: Obj, before: Obj, bearing: Callable[[Obj], object]) -> bool:
    """Whether a controller sees nothing new in a change."""
    return bool(now["metadata"]["uid"] == before["metadata"]["uid"] and bearing(now) == bearing(before))


class ControllerLoop:
    def __init__(self, controller: Controller, api: LocalApi, watcher: Watcher, clock: Clock, chance: Chance) -> None:
        self.name = controller.NAME
        self._controller, self._api, self._clock, self._chance = controller, api, clock, chance
        mine: LocalApi = api.as_(service_account(controller.NAME))  # type: ignore[assignment]
        self._recorder = Recorder(mine, clock, controller.NAME)
        self._hand = Hand(mine, self._recorder, controller.NAME)
        self.queue: KeyedQueue[Ref] = KeyedQueue(clock)
        self._workers = self._idle = 0
        for kind, waker in controller.WATCHES.items():
            watcher.listen(kind, self._listener(waker))

    def _listener(self, waker: Waker) -> Listener:
        bearing: Callable[[Obj], object] | None = getattr(self._controller, "bearing", None)
        rests_s: Callable[[Obj, float], float] | None = getattr(self._controller, "rests_s", None)
        gathers_s: float = getattr(self._controller, "GATHERS_S", 0.0)

        queue, view = self.queue, self._api.view

        def heard(change: Change) -> None:
            now, before = change.entry.obj, None if change.before is None else change.before.obj
            if before is not None and bearing is not None and change.type == "MODIFIED" and same(now, before, bearing):
                return
            if rests_s is not None and change.type != "DELETED":
                rest = rests_s(now, self._clock.now_s())
                if rest > 0:
                    for ref in waker(now, view):
                        queue.add_after(ref, rest)
                    return
            for ref in waker(now, view):
                queue.add_after(ref, gathers_s)
            if before is not None and waker is not wake_self:  # whoever it belonged to before must hear as well
                for ref in waker(before, view):
                    queue.add_after(ref, gathers_s)

        return heard

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.queue.run())
            group.create_task(self._recorder.run())
            self._employ(group)

    def _employ(self, group: asyncio.TaskGroup) -> None:
        self._workers += 1
        group.create_task(self._work(group))

    async def _work(self, group: asyncio.TaskGroup) -> None:
        while True:
            self._idle += 1
            try:
                ref = await self.queue.get()
            finally:
                self._idle -= 1
            if not self._idle and self._workers < WORKERS:
                self._employ(group)
            try:
                await self._decide(ref)
            except Exception:
                # One poisoned object must not stop the others: loud, and later again.
                wait = self.queue.add_backoff(ref)
                log.exception("%s: deciding %s/%s failed; again in %.3g s", self.name, ref.namespace, ref.name, wait)
            finally:
                self.queue.done(ref)

    async def _decide(self, ref: Ref) -> None:
        actions = self._controller.decide(ref, self._api.view, self._clock.now_s(), self._chance)
        outcome = await self._hand.carry_out(actions)
        if outcome.again:
            self.queue.add_backoff(ref)
        else:
            self.queue.forget(ref)
        if outcome.wake_s is not None:
            self.queue.add_after(ref, outcome.wake_s)
