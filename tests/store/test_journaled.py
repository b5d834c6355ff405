"""The store's contract, over both implementations: writes, conflicts, batches in flight, failures, restarts."""

import asyncio
import threading

import pytest

from madang.store.model import HistoryGone, StaleRevision, StoreFailed
from madang.store.pipeline import WAITING_WRITES
from tests.store.conftest import House, encode, pod


async def test_a_write_is_visible_once_its_awaitable_is_done(house: House) -> None:
    store = house.open()
    write = store.put(pod("a"), encode(v=1), expect=0)
    assert store.get(pod("a")) is None
    assert store.revision == 0
    accepted = store.newest(pod("a"))
    assert accepted is not None and accepted.revision == 1
    entry = await write
    assert store.get(pod("a")) == entry
    assert entry.data == b'{"v":1,"revision":1}'
    assert entry.obj == {"v": 1, "revision": 1}
    assert entry.obj is entry.obj
    assert store.revision == 1
    await store.close()


async def test_two_updates_with_one_revision_in_one_batch(house: House) -> None:
    store = house.open()
    first = await store.put(pod("a"), encode(v=1), expect=0)
    second = store.put(pod("a"), encode(v=2), expect=first.revision)
    with pytest.raises(StaleRevision) as stale:
        store.put(pod("a"), encode(v=3), expect=first.revision)
    assert stale.value.newest is not None and stale.value.newest.obj["v"] == 2
    assert (await second).revision == 2
    assert (await store.put(pod("a"), encode(v=3), expect=2)).revision == 3  # the refused one used no revision
    await store.close()


@pytest.mark.parametrize("expect", [0, 7, None])
async def test_create_and_whatever(house: House, expect: int | None) -> None:
    store = house.open()
    await store.put(pod("a"), encode(), expect=None)
    if expect is None:
        assert (await store.put(pod("a"), encode(), expect=None)).revision == 2
    else:
        with pytest.raises(StaleRevision, match="pods shop/a has changed"):
            store.put(pod("a"), encode(), expect=expect)
    await store.close()


async def test_nothing_to_remove(house: House) -> None:
    store = house.open()
    for expect in (0, 3, None):
        with pytest.raises(StaleRevision) as stale:
            store.remove(pod("a"), encode(), expect=expect)
        assert stale.value.newest is None
    await store.close()


async def test_delete_create_and_patch_of_one_name_in_flight(house: House) -> None:
    store = house.open()
    await store.put(pod("a"), encode(uid=1), expect=0)
    watch = store.watch("pods")
    house.writer.hold()
    deleted = store.remove(pod("a"), encode(uid=1, gone=True), expect=1)
    assert store.newest(pod("a")) is None
    with pytest.raises(StaleRevision):
        store.put(pod("a"), encode(uid=1), expect=1)
    created = store.put(pod("a"), encode(uid=2), expect=0)
    await asyncio.sleep(0)
    patched = store.put(pod("a"), encode(uid=2, patched=True), expect=3)
    present = store.get(pod("a"))
    assert present is not None and present.obj["uid"] == 1
    house.writer.release()
    assert [(await w).revision for w in (deleted, created, patched)] == [2, 3, 4]
    changes = list(await watch.next())
    while len(changes) < 3:
        changes += await watch.next()
    assert [(c.type, c.entry.revision, c.before and c.before.revision) for c in changes] == [
        ("DELETED", 2, 1),
        ("ADDED", 3, None),
        ("MODIFIED", 4, 3),
    ]
    assert changes[0].entry.obj == {"uid": 1, "gone": True, "revision": 2}
    await store.close()


async def test_one_step_of_the_loop_is_one_commit(house: House) -> None:
    store = house.open()
    await asyncio.gather(*(store.put(pod(f"p{n}"), encode(), expect=0) for n in range(50)))
    assert house.journal.commits == 1
    await store.close()


async def test_a_failed_batch_between_two_good_ones(house: House) -> None:
    store = house.open()
    await store.put(pod("a"), encode(v=1), expect=0)
    watch = store.watch("pods")
    house.journal.failing = True
    house.writer.hold()
    bad = [store.put(pod("a"), encode(v=2), expect=1), store.put(pod("b"), encode(), expect=0)]
    await asyncio.sleep(0)
    on_top = [store.put(pod("a"), encode(v=3), expect=2), store.remove(pod("b"), encode(), expect=3)]
    house.writer.release()
    results = await asyncio.gather(*bad, *on_top, return_exceptions=True)
    assert [str(r) for r in results] == ["the disk is full"] * 4
    assert all(isinstance(r, StoreFailed) for r in results)
    newest = store.newest(pod("a"))
    assert newest is not None and newest.obj["v"] == 1
    assert store.revision == 1
    house.journal.failing = False
    good = await store.put(pod("a"), encode(v=4), expect=1)
    assert good.revision == 6  # 2 to 5 are burned
    assert [(c.type, c.entry.revision) for c in await watch.next()] == [("MODIFIED", 6)]
    await store.close()
    again = house.open()
    assert again.revision == 6
    assert [e.obj["v"] for e in again.list("pods").entries] == [4]
    await again.close()


async def test_an_encoder_that_raises_uses_no_revision(house: House) -> None:
    store = house.open()

    def broken(revision: int) -> bytes:
        raise ValueError(revision)

    with pytest.raises(ValueError):
        store.put(pod("a"), broken, expect=0)
    assert store.newest(pod("a")) is None
    assert (await store.put(pod("a"), encode(), expect=0)).revision == 1
    await store.close()


async def test_a_cancelled_caller_does_not_undo_the_write(house: House) -> None:
    store = house.open()
    write = asyncio.ensure_future(store.put(pod("a"), encode(), expect=0))
    write.cancel()
    await store.put(pod("b"), encode(), expect=0)
    assert store.get(pod("a")) is not None
    await store.close()


async def test_after_a_restart_all_is_there_and_revisions_go_on(house: House) -> None:
    store = house.open()
    for n in range(3):
        await store.put(pod(f"p{n}"), encode(labels={"app": "web"}), expect=0)
    await store.remove(pod("p2"), encode(), expect=3)
    await store.close()
    again = house.open()
    assert again.revision == again.oldest == 4
    assert [e.key.name for e in again.list("pods", terms=[("label", "app=web")]).entries] == ["p0", "p1"]
    with pytest.raises(HistoryGone):
        again.watch("pods", since=3)
    again.watch("pods", since=4)
    assert (await again.put(pod("p3"), encode(), expect=0)).revision == 5
    await again.close()


async def test_closing_commits_what_was_accepted_and_refuses_the_rest(house: House) -> None:
    store = house.open()
    before = threading.active_count()
    watch = store.watch("pods")
    write = store.put(pod("a"), encode(), expect=0)
    closing = asyncio.gather(store.close(), store.close())
    await asyncio.sleep(0)
    with pytest.raises(StoreFailed, match="closed"):
        store.put(pod("b"), encode(), expect=0)
    await closing
    assert (await write).revision == 1
    assert [c.entry.revision for c in await watch.next()] == []
    with pytest.raises(StoreFailed, match="closed"):
        store.watch("pods")
    assert threading.active_count() <= before
    assert house.open().get(pod("a")) is not None
    house.writer.close()


async def test_the_queue_to_the_disk_is_bounded(house: House) -> None:
    store = house.open()
    house.writer.hold()
    await asyncio.sleep(0)
    writes = [store.put(pod(f"p{n}"), lambda revision: b"{}", expect=0) for n in range(WAITING_WRITES)]
    with pytest.raises(StoreFailed, match="wait for the disk already"):
        store.put(pod("one-more"), encode(), expect=0)
    house.journal.failing = True
    house.writer.release()
    await asyncio.gather(*writes, return_exceptions=True)
    await store.close()


async def test_any_failure_of_the_journal_reaches_the_writers(house: House) -> None:
    store = house.open()

    def broken() -> None:
        raise RuntimeError("a bug")

    house.journal.sync = broken  # type: ignore[method-assign]
    with pytest.raises(StoreFailed, match="a bug"):
        await store.put(pod("a"), encode(), expect=0)
    await store.close()
