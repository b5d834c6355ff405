"""Virtual time passes only when nothing can run; what belongs to a dead life never runs again."""

import asyncio
from contextvars import Context

import pytest

from madang.world.loop import PULSE, Pulse, Standstill, VirtualLoop


def test_an_hour_takes_no_time_and_keeps_its_order() -> None:
    loop, seen = VirtualLoop(), []

    async def after(seconds: float) -> None:
        await asyncio.sleep(seconds)
        seen.append((seconds, loop.time()))

    async def all_() -> None:
        await asyncio.gather(*(after(s) for s in (3600.0, 1.0, 60.0)))

    loop.run_until_complete(all_())
    loop.end()
    assert seen == [(1.0, 1.0), (60.0, 60.0), (3600.0, 3600.0)]


def test_what_waits_for_ever_is_said() -> None:
    loop = VirtualLoop()
    with pytest.raises(Standstill):
        loop.run_until_complete(asyncio.Event().wait())
    loop.end()


def test_a_dead_life_runs_nothing_not_even_its_finally() -> None:
    loop, pulse, done = VirtualLoop(), Pulse(), []
    context = Context()
    context.run(PULSE.set, pulse)

    async def life() -> None:
        try:
            while True:
                await asyncio.sleep(1.0)
                done.append(loop.time())
        finally:
            done.append(-1.0)

    async def world() -> None:
        task = loop.create_task(life(), context=context)
        await asyncio.sleep(2.5)
        pulse.dead = True
        loop.bury()
        task.cancel()
        await asyncio.sleep(10.0)
        assert done == [1.0, 2.0]

    loop.run_until_complete(world())
    loop.end()


def test_a_life_ends_at_its_last_step() -> None:
    loop, pulse, steps = VirtualLoop(), Pulse(), []
    pulse.fatal = 5
    loop.fatal = lambda found, step: setattr(found, "dead", True)
    context = Context()
    context.run(PULSE.set, pulse)

    async def life() -> None:
        while True:
            steps.append(None)
            await asyncio.sleep(0)

    async def world() -> None:
        task = loop.create_task(life(), context=context)
        await asyncio.sleep(1.0)
        assert not task.done()

    loop.run_until_complete(world())
    loop.end()
    assert len(steps) == 4 and pulse.dead
