"""Which images go, and that nothing else does."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.node.images import collection
from madang.node.images.collection import (
    YOUNG_S,
    Candidate,
    candidates,
    let_go,
    longest_unused,
    make_room,
    sweep,
    to_free,
    untag,
    unused,
)
from madang.node.images.image import Image
from madang.node.images.store import Store
from tests.node.images.made import member, put, sha256, tar

NOW = 1_000_000.0
ONE, TWO, SHARED = tar(member("1", b"1")), tar(member("2", b"2")), tar(member("s", b"s"))


def test_thresholds() -> None:
    assert to_free(85, 100) == 0 and to_free(86, 100) == 6 and to_free(100, 100) == 20


def candidate(digest: str, used: float, *layers: str, held: bool = False, named: bool = True) -> Candidate:
    return Candidate(digest, tuple((layer, 10) for layer in layers), NOW - used, held, named)


def test_the_longest_unused_go_first() -> None:
    images = [
        candidate("new", 10, "a"), candidate("old", 9000, "b"), candidate("older", 9500, "c"),
        candidate("held", 9900, "d", held=True), candidate("nameless", 200, "e", named=False),
    ]  # fmt: skip
    assert longest_unused(images, 0, NOW) == []
    assert longest_unused(images, 1, NOW) == ["nameless"]
    assert longest_unused(images, 15, NOW) == ["nameless", "older"]
    assert longest_unused(images, 999, NOW) == ["nameless", "older", "old"]


def test_a_shared_layer_is_freed_by_its_last_image() -> None:
    images = [candidate("1", 900, "base"), candidate("2", 800, "base"), candidate("3", 700, "x")]
    assert longest_unused(images, 5, NOW) == ["1", "2"]


def test_prune() -> None:
    images = [candidate("a", 0), candidate("b", 0, named=False), candidate("c", 0, named=False, held=True)]
    assert unused(images, named_too=False) == ["b"] and unused(images, named_too=True) == ["a", "b"]


IMAGES = st.lists(
    st.builds(
        Candidate,
        st.integers(0, 10**6).map(str),
        st.lists(st.tuples(st.sampled_from("abcd"), st.just(10)), max_size=3).map(tuple),
        st.floats(0, NOW),
        st.booleans(),
        st.booleans(),
    ),
    max_size=8,
    unique_by=lambda i: i.digest,
)


@given(IMAGES, st.integers(0, 50))
def test_never_more_than_needed_and_never_what_is_used(images: list[Candidate], wanted: int) -> None:
    gone = longest_unused(images, wanted, NOW)
    by_name = {i.digest: i for i in images}
    assert not [d for d in gone if by_name[d].held or NOW - by_name[d].last_used < YOUNG_S]
    free = lambda names: sum(  # noqa: E731
        10 for layer in "abcd" if (u := {i.digest for i in images if layer in dict(i.layers)}) and u <= set(names)
    )
    if gone:
        assert free(gone[:-1]) < wanted
    if free(gone) < wanted:
        assert all(i.digest in gone or i.held or NOW - i.last_used < YOUNG_S for i in images)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    found = Store(tmp_path / "images")
    put(found.layout, "docker.io/library/one:1", [SHARED, ONE])
    put(found.layout, "docker.io/library/two:2", [SHARED, TWO])
    return found


def image(store: Store, name: str) -> Image:
    found = store.find(name)
    assert found is not None
    return found


def test_sweeping_takes_what_nobody_names(store: Store) -> None:
    assert sweep(store.layout) == 0
    assert let_go(store, [image(store, "one:1").digest]) and store.find("one:1") is None
    (store.layout.work / "left").mkdir()
    assert sweep(store.layout) > 0
    assert {t.name for t in store.layout.trees.iterdir()} == {sha256(b)[7:39] for b in (SHARED, TWO)}
    assert len(list(store.layout.blobs.iterdir())) == 4 and not list(store.layout.work.iterdir())
    assert store.find("two:2") is not None


def test_nothing_is_swept_while_somebody_loads(store: Store) -> None:
    with store.layout.adding(), pytest.raises(BlockingIOError):
        sweep(store.layout)
    sweep(store.layout)


def test_held_images_only_lose_their_name(store: Store) -> None:
    one = image(store, "one:1")
    store.hold(one, "c1")
    assert let_go(store, [one.digest]) == [] and store.find("one:1") is None
    sweep(store.layout)
    assert image(store, one.digest).refs == () and one.layers[1].folder.exists()
    assert [c.digest for c in candidates(store) if c.held] == [one.digest]
    store.keep_holders("", {"other"})
    assert unused(candidates(store), named_too=False) == [one.digest]


def test_untag(store: Store) -> None:
    one = image(store, "one:1")
    untag(store, one, "docker.io/library/one:1")
    assert image(store, one.digest).refs == ()


def test_room_is_made_where_the_disk_is_full(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    class Disk:
        f_blocks, f_frsize, f_bavail = 100, 1, 50

    monkeypatch.setattr(collection.os, "statvfs", lambda _: Disk)
    later = os.stat(store.layout.index).st_mtime + YOUNG_S + 1
    assert make_room(store, later) == []
    Disk.f_bavail = 5
    with store.layout.adding():
        assert len(make_room(store, later)) == 1  # it goes from the index, its files at the next sweep
    assert len(make_room(store, later)) == 1 and store.all() == []
    assert not list(store.layout.trees.iterdir())


def test_a_damaged_image_is_not_mistaken_for_nothing(store: Store) -> None:
    one: Any = image(store, "one:1")
    (store.layout.tree(one.layers[1].diff_id) / "record.json").unlink()
    sweep(store.layout)
    assert store.layout.blob(one.digest).exists() and store.find("two:2") is not None
