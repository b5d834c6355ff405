"""Keys that wait to be decided: each once however often it was woken, one worker a key, delays and back-off.

In: keys. Out: keys, one at a time; a key woken while it is worked on comes again afterwards. It holds at most one
entry an object, so it is bounded by what the store holds (client-go's workqueue is the model).
"""

import asyncio
import heapq
from typing import Generic, TypeVar

from madang.loops.pause import pause
from madang.ports.clock import Clock

K = TypeVar("K")


class KeyedQueue(Generic[K]):
    """`run` must be awaited somewhere for delays to pass."""

    def __init__(self, clock: Clock, *, backoff_s: float = 0.005, backoff_max_s: float = 30.0) -> None:
        self._clock = clock
        self._backoff_s, self._backoff_max_s = backoff_s, backoff_max_s
        self._ready: asyncio.Queue[K] = asyncio.Queue()  # it wakes one worker for each key, not all of them
        self._dirty: set[K] = set()  # waiting, or woken again while worked on
        self._busy: set[K] = set()
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._count = 0  # breaks ties: keys need not compare
        self._failures: dict[K, int] = {}
        self._delays_changed = asyncio.Event()

    def __len__(self) -> int:
        return self._ready.qsize()

    def add(self, key: K) -> None:
        if key in self._dirty:
            return
        self._dirty.add(key)
        if key not in self._busy:
            self._ready.put_nowait(key)

    def add_after(self, key: K, delay_s: float) -> None:
        """The earliest of several delays counts."""
        if delay_s <= 0:
            self.add(key)
            return
        due = self._clock.monotonic_s() + delay_s
        if due >= self._due.get(key, float("inf")):
            return
        self._due[key] = due
        self._count += 1
        heapq.heappush(self._heap, (due, self._count, key))
        if self._heap[0][1] == self._count:  # else something else is due before it anyway
            self._delays_changed.set()

    def add_backoff(self, key: K) -> float:
        """After a failure: later each time. Gives the delay."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = min(self._backoff_s * float(1 << min(failures, 20)), self._backoff_max_s)
        self.add_after(key, delay)
        return delay

    def forget(self, key: K) -> None:
        """The key went well: the next failure starts over."""
        self._failures.pop(key, None)

    async def get(self) -> K:
        key = await self._ready.get()
        self._dirty.discard(key)
        self._busy.add(key)
        return key

    def done(self, key: K) -> None:
        self._busy.discard(key)
        if key in self._dirty:
            self._ready.put_nowait(key)

    async def run(self) -> None:
        """Lets delayed keys in when they are due."""
        while True:
            self._delays_changed.clear()
            wait = self._release()
            if wait is None:
                await self._delays_changed.wait()
            else:
                await pause(self._clock, wait, self._delays_changed)

    def _release(self) -> float | None:
        """Adds what is due; how long until the next, None when nothing waits."""
        now = self._clock.monotonic_s()
        while self._heap:
            due, _, key = self._heap[0]
            if self._due.get(key) != due:  # an earlier delay took its place
                heapq.heappop(self._heap)
            elif due <= now:
                heapq.heappop(self._heap)
                del self._due[key]
                self.add(key)
            else:
                return due - now
        return None
