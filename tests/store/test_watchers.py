"""Watches over both implementations: from any revision, in order, once each; cut off when too slow."""

import asyncio

import pytest

from madang.ports.objects import Change, Key
from madang.store.history import Window
from madang.store.model import HistoryGone
from tests.store.conftest import House, encode, pod


def seen(changes: list[Change]) -> list[tuple[str, str, int]]:
    return [(c.type, c.entry.key.name, c.entry.revision) for c in changes]


async def test_from_any_revision(house: House) -> None:
    store = house.open()
    await store.put(pod("a"), encode(), expect=0)
    await store.put(Key("nodes", "", "n"), encode(), expect=0)
    await store.put(pod("a"), encode(), expect=1)
    await store.put(pod("b", "other"), encode(), expect=0)
    await store.remove(pod("a"), encode(), expect=3)
    everything = [("ADDED", "a", 1), ("MODIFIED", "a", 3), ("ADDED", "b", 4), ("DELETED", "a", 5)]
    for since in range(5):
        watch = store.watch("pods", since=since)
        assert seen(list(await watch.next())) == [s for s in everything if s[2] > since]
    assert seen(list(await store.watch("pods", "other", since=0).next())) == [("ADDED", "b", 4)]
    assert seen(list(await store.watch("nodes", since=0).next())) == [("ADDED", "n", 2)]
    await store.close()


async def test_from_now_on_and_all_of_a_commit_at_once(house: House) -> None:
    store = house.open()
    await store.put(pod("a"), encode(), expect=0)
    watch = store.watch("pods")
    reading = asyncio.ensure_future(watch.next())
    await asyncio.sleep(0)
    await asyncio.gather(*(store.put(pod(f"p{n}"), encode(), expect=0) for n in range(3)))
    assert seen(list(await reading)) == [("ADDED", "p0", 2), ("ADDED", "p1", 3), ("ADDED", "p2", 4)]
    await store.close()


async def test_a_change_elsewhere_does_not_end_the_wait(house: House) -> None:
    store = house.open()
    watch = store.watch("pods", "shop")
    reading = asyncio.ensure_future(watch.next())
    await asyncio.sleep(0)
    await store.put(pod("a", "other"), encode(), expect=0)
    await asyncio.sleep(0)
    assert not reading.done()
    await store.put(pod("a"), encode(), expect=0)
    assert seen(list(await reading)) == [("ADDED", "a", 2)]
    await store.close()


async def test_a_revision_ahead_of_what_is_committed(house: House) -> None:
    store = house.open()
    watch = store.watch("pods", since=2)
    for name in "abc":
        await store.put(pod(name), encode(), expect=0)
    assert seen(list(await watch.next())) == [("ADDED", "c", 3)]
    await store.close()


async def test_expired(house: House) -> None:
    store = house.open(Window(changes=3))
    for n in range(10):
        await store.put(pod(f"p{n}"), encode(), expect=0)
    with pytest.raises(HistoryGone, match="revision 6 is older than the oldest kept, 7"):
        store.watch("pods", since=6)
    assert len(await store.watch("pods", since=7).next()) == 3
    await store.close()


async def test_a_slow_watcher_is_cut_off(house: House) -> None:
    store = house.open(Window(changes=5))
    slow, quick, elsewhere = store.watch("pods"), store.watch("pods"), store.watch("nodes")
    for n in range(6):
        await store.put(pod(f"p{n}"), encode(), expect=0)
        assert len(await quick.next()) == 1
    assert await slow.next() == []
    assert await slow.next() == []
    await store.put(Key("nodes", "", "n"), encode(), expect=0)
    assert len(await elsewhere.next()) == 1  # nothing of its kind was lost
    await store.close()


async def test_closing_ends_the_wait(house: House) -> None:
    store = house.open()
    watch = store.watch("pods")
    reading = asyncio.ensure_future(watch.next())
    await asyncio.sleep(0)
    watch.close()
    assert await reading == []
    cancelled = store.watch("pods")
    waiting = asyncio.ensure_future(cancelled.next())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await store.put(pod("a"), encode(), expect=0)
    assert len(await cancelled.next()) == 1  # a cancelled wait loses nothing
    cancelled.close()
    await store.close()


async def test_a_wait_ends_after_its_time_and_the_next_is_another(house: House) -> None:
    """One timer serves all waits: it is neither left from an earlier wait nor missing in a later one."""
    store = house.open()
    watch = store.watch("pods", since=0)
    with pytest.raises(TimeoutError):
        await watch.next(0.01)
    reading = asyncio.ensure_future(watch.next(30.0))
    await asyncio.sleep(0.03)
    assert not reading.done(), "the end of the first wait is not the end of the second"
    await store.put(pod("a"), encode(), expect=0)
    assert len(await reading) == 1
    with pytest.raises(TimeoutError):
        await watch.next(0.01)
    watch.close()
    assert await watch.next(0.01) == []
    await store.close()
