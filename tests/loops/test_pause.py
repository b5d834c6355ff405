"""A pause ends by its event or by its time, and leaves nothing behind."""

import asyncio

from madang.loops.pause import pause
from tests.loops.test_queue import VirtualClock, settle


def test_by_its_event() -> None:
    async def story() -> None:
        clock, woken = VirtualClock(), asyncio.Event()
        waiting = asyncio.create_task(pause(clock, 5.0, woken))
        await settle()
        assert not waiting.done()
        woken.set()
        await settle()
        assert waiting.done() and asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(story())


def test_by_its_time() -> None:
    async def story() -> None:
        clock, woken = VirtualClock(), asyncio.Event()
        waiting = asyncio.create_task(pause(clock, 5.0, woken))
        await settle()
        await clock.pass_(4.9)
        assert not waiting.done()
        await clock.pass_(0.2)
        assert waiting.done() and woken.is_set()

    asyncio.run(story())


def test_cancelled_it_takes_its_timer_along() -> None:
    async def story() -> None:
        waiting = asyncio.create_task(pause(VirtualClock(), 5.0, asyncio.Event()))
        await settle()
        waiting.cancel()
        await settle()
        assert waiting.cancelled() and asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(story())
