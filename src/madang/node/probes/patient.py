"""Probes of pods that stand still on purpose: they are not asked, and what was asked just before is asked again.

In: a handler, and whose pods are paused. Out: the same handler, which waits. Else a pod that is paused while its
volumes are copied would be called unhealthy for it.
"""

import asyncio
from collections.abc import Collection, Iterable

from madang.node.probes.handler import Handler, Target
from madang.node.probes.result import Result
from madang.ports.objects import Obj


class Pauses:
    """The pods that stand still now."""

    def __init__(self) -> None:
        self._paused: set[str] = set()
        self._over = asyncio.Event()
        self.count = 0  # of pauses so far

    def begin(self, uids: Iterable[str]) -> None:
        self.count += 1
        self._paused = set(uids)
        self._over.clear()

    def end(self) -> None:
        self._paused = set()
        self._over.set()

    def holds(self, uid: str) -> bool:
        return uid in self._paused

    async def over(self) -> None:
        await self._over.wait()

    @property
    def uids(self) -> Collection[str]:
        return self._paused


class PatientHandler:
    def __init__(self, handler: Handler, pauses: Pauses) -> None:
        self._handler, self._pauses = handler, pauses

    async def ask(self, target: Target, what: Obj, timeout_s: float) -> Result:
        pauses = self._pauses
        while True:
            while pauses.uids and pauses.holds(
                target.launch.folder.parents[2].name
            ):  # pods/UID/containers/NAME/ATTEMPT
                await pauses.over()
            before = pauses.count
            result = await self._handler.ask(target, what, timeout_s)
            if result.ok or before == pauses.count:
                return result
