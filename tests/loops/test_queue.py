"""Keys: each once, one worker each, later when told so, later still after failures."""

import asyncio
from collections.abc import Awaitable, Callable

from madang.loops.queue import KeyedQueue


class VirtualClock:
    """Time moves when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now_s(self) -> float:
        return self.now

    def monotonic_s(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        event = asyncio.Event()
        self._sleepers.append((self.now + seconds, event))
        await event.wait()

    async def pass_(self, seconds: float) -> None:
        self.now += seconds
        for due, event in self._sleepers:
            if due <= self.now:
                event.set()
        self._sleepers = [(d, e) for d, e in self._sleepers if d > self.now]
        await settle()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def told(story: Callable[[KeyedQueue[str], VirtualClock], Awaitable[None]]) -> None:
    async def run() -> None:
        clock = VirtualClock()
        queue: KeyedQueue[str] = KeyedQueue(clock, backoff_s=1, backoff_max_s=5)
        timer = asyncio.ensure_future(queue.run())
        try:
            await story(queue, clock)
        finally:
            timer.cancel()
            await asyncio.gather(timer, return_exceptions=True)

    asyncio.run(run())


def test_a_key_waits_once_and_comes_again_when_woken_meanwhile() -> None:
    async def story(queue: KeyedQueue[str], clock: VirtualClock) -> None:
        for key in ("a", "b", "a"):
            queue.add(key)
        assert len(queue) == 2
        assert [await queue.get(), await queue.get()] == ["a", "b"]
        queue.add("a")
        assert len(queue) == 0  # "a" is being worked on
        queue.done("b")
        queue.done("a")
        assert await queue.get() == "a"

    told(story)


def test_delays_pass_on_the_clock_and_the_earliest_counts() -> None:
    async def story(queue: KeyedQueue[str], clock: VirtualClock) -> None:
        queue.add_after("a", 10)
        queue.add_after("b", 5)
        await settle()
        queue.add_after("a", 2)
        queue.add_after("a", 7)
        await settle()
        await clock.pass_(2)
        assert len(queue) == 1 and await queue.get() == "a"
        await clock.pass_(3)
        assert await queue.get() == "b"
        queue.done("a")
        await clock.pass_(20)
        assert len(queue) == 0

    told(story)


def test_failures_come_later_each_time() -> None:
    async def story(queue: KeyedQueue[str], clock: VirtualClock) -> None:
        assert [queue.add_backoff("a") for _ in range(5)] == [1, 2, 4, 5, 5]
        queue.forget("a")
        assert queue.add_backoff("a") == 1

    told(story)


def test_a_waiting_worker_is_woken() -> None:
    async def story(queue: KeyedQueue[str], clock: VirtualClock) -> None:
        worker = asyncio.ensure_future(queue.get())
        await settle()
        queue.add("a")
        assert await worker == "a"

    told(story)


def test_a_later_delay_leaves_the_timer_alone_and_an_earlier_one_does_not() -> None:
    async def story(queue: KeyedQueue[str], clock: VirtualClock) -> None:
        queue.add_after("slow", 10)
        await settle()
        queue.add_after("slower", 20)
        await settle()
        assert len(clock._sleepers) == 1, "nothing is due before what is waited for already"
        queue.add_after("quick", 1)
        await settle()
        await clock.pass_(1)
        assert await queue.get() == "quick"
        await clock.pass_(9)
        assert await queue.get() == "slow"
        await clock.pass_(10)
        assert await queue.get() == "slower"

    told(story)
