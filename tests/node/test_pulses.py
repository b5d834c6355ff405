"""Who answers and who does not: counted in asks, told once, and to everybody who listens."""

import asyncio

from madang.node.pulses import MISSES, Pulses
from tests.node.virtual import VirtualClock, run


def test_silent_after_several_misses_and_back_with_one_answer() -> None:
    pulses = Pulses(["a", "b"])
    for _ in range(MISSES):
        pulses.count()
        pulses.answer("b")
    assert (pulses.silent("a"), pulses.silent("b"), pulses.silent("c")) == (False, False, None)
    assert pulses.waiting
    pulses.count()
    assert pulses.silent("a") and not pulses.silent("b")
    pulses.answer("a")
    assert not pulses.silent("a")


def test_changes_are_told_to_each_reader_and_readers_end() -> None:
    async def story() -> None:
        pulses = Pulses(["a", "b"])
        first, second = pulses.changes(), pulses.changes()
        assert [await anext(first), await anext(first), await anext(second), await anext(second)] == ["a", "b"] * 2
        for _ in range(MISSES + 3):
            pulses.count()
            pulses.answer("b")
        assert await anext(first) == "a" and await anext(second) == "a"
        pulses.answer("a")
        assert await anext(first) == "a"
        for reader in (first, second):
            await reader.aclose()  # type: ignore[attr-defined]
        assert not pulses._ears

    run(story())


def test_asked_once_a_second_where_something_runs_else_seldom() -> None:
    async def story() -> None:
        pulses, busy, asked = Pulses(["a"]), asyncio.Event(), []
        runs = False

        def ask() -> bool:
            asked.append(asyncio.get_running_loop().time())
            pulses.answer("a")
            return runs

        task = asyncio.create_task(pulses.run(VirtualClock(), ask, busy))
        await asyncio.sleep(25)
        assert asked == [0, 10, 20]
        runs = True
        busy.set()
        await asyncio.sleep(4.5)
        assert asked[3:] == [25, 26, 27, 28, 29]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run(story())


def test_a_silence_is_settled_soon_even_where_nothing_runs() -> None:
    async def story() -> None:
        pulses = Pulses(["a"])
        task = asyncio.create_task(pulses.run(VirtualClock(), lambda: False, asyncio.Event()))
        await asyncio.sleep(MISSES + 0.5)
        assert pulses.silent("a")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run(story())
