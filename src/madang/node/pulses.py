"""Which agents answer (`ports.streams.Liveness`): each is asked now and then, and is silent after several misses.

In: asks (one for all) and answers (one an agent). Out: who is silent, and who has just become so or come back. Misses
are counted, not seconds: a house that was stopped as a whole and goes on has missed one ask, however long it stood.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from typing import Any

from madang.ports.clock import Clock

ASK_S, IDLE_S = 1.0, 10.0  # how often, where something runs, and where nothing does
# Kubernetes gives a node five of its heartbeats: 50 s at one each 10 s. Here it is asked once a second.
MISSES = 4


class Pulses:
    def __init__(self, names: Iterable[str]) -> None:
        self._missed = dict.fromkeys(names, 0)
        self._ears: set[_Ear] = set()

    async def run(self, clock: Clock, ask: Callable[[], bool], busy: asyncio.Event) -> None:
        """For ever. `ask` asks every agent and says whether anything runs there; `busy` tells that something does."""
        while True:
            self.count()
            busy.clear()
            runs = ask()
            await clock.sleep(ASK_S)
            if not runs and not self.waiting:
                await _either(clock.sleep(IDLE_S - ASK_S), busy.wait())

    def count(self) -> None:
        """One ask more; it counts until it is answered."""
        for name in self._missed:
            self._missed[name] += 1
            if self._missed[name] == MISSES + 1:
                self._tell(name)

    def answer(self, name: str) -> None:
        silent, self._missed[name] = self.silent(name), 0
        if silent:
            self._tell(name)

    @property
    def waiting(self) -> bool:
        """Somebody has not answered, and is not known to be silent yet."""
        return any(0 < missed <= MISSES for missed in self._missed.values())

    def silent(self, node: str) -> bool | None:
        missed = self._missed.get(node)
        return None if missed is None else missed > MISSES

    async def changes(self) -> AsyncIterator[str]:
        ear = _Ear(self._missed)
        self._ears.add(ear)
        try:
            while True:
                await ear.heard.wait()
                ear.heard.clear()
                names, ear.names = sorted(ear.names), set()
                for name in names:
                    yield name
        finally:
            self._ears.discard(ear)

    def _tell(self, name: str) -> None:
        for ear in self._ears:
            ear.names.add(name)
            ear.heard.set()


async def _either(*waits: Coroutine[Any, Any, object]) -> None:
    tasks = [asyncio.ensure_future(one) for one in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Ear:
    """What one reader has still to be told: each name once, so it is bounded."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = set(names)
        self.heard = asyncio.Event()
        self.heard.set()
