"""What of the build cache goes: by size and last use, on a full disk, never while somebody builds."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.node.building import pruning
from madang.node.building.cache import Cache
from madang.node.building.pruning import Entry, after_build, gone, make_room, prune_now
from tests.node.building.test_cache import made

ENTRIES = st.lists(st.tuples(st.integers(0, 100), st.integers(0, 20)), max_size=12)


@given(ENTRIES, st.integers(0, 300), st.integers(0, 25))
def test_what_stays_fits_and_was_used_later(some: list[tuple[int, int]], keep: int, newest: int) -> None:
    entries = [Entry(Path(str(n)), size, used) for n, (size, used) in enumerate(some)]
    going = gone(entries, keep, newest)
    stays = [e for e in entries if e not in going]
    assert all(e.last_used < newest for e in going)
    assert sum(e.size for e in stays if e.last_used < newest) <= keep
    assert gone(stays, keep, newest) == []
    assert gone(entries, 1 + sum(e.size for e in entries)) == []


def mounted(cache: Cache, name: str, size: int, used: float) -> Path:
    place = cache.mount(name)
    place.mkdir()
    (place / "file").write_bytes(os.urandom(size))
    os.utime(place, (used, used))
    return place


def test_mounts_go_with_layers_by_their_last_use(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    made(cache, "a", "1")
    os.utime(tmp_path / "keys/a", (50, 50))
    old, new = mounted(cache, "pip", 40960, 10), mounted(cache, "apt", 40960, 90)
    assert prune_now(cache, 70_000) == 40960
    assert not old.exists() and new.exists() and cache.find_silently("a") is not None
    cache.mount("apt")
    assert new.stat().st_mtime > time.time() - 60, "it was used"
    assert prune_now(cache, 0) > 40960
    assert (
        cache.find("a") is None and list((tmp_path / "mounts").iterdir()) == list((tmp_path / "layers").iterdir()) == []
    )


def test_a_mount_is_measured_only_after_it_was_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, walked = Cache(tmp_path), []
    place = mounted(cache, "pip", 8192, 10)

    def walk(top: Any) -> Any:
        walked.append(top)
        return real(top)

    real = os.walk
    monkeypatch.setattr(os, "walk", walk)
    assert [pruning.weight(cache, place) for _ in range(2)] == [8192, 8192] and walked == [place]
    (place / "more").write_bytes(os.urandom(4096))
    cache.mount("pip")
    assert pruning.weight(cache, place) == 12288 and len(walked) == 2


def test_nothing_goes_while_somebody_builds(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    made(cache, "a", "1")
    with cache.used(), pytest.raises(BlockingIOError):
        prune_now(Cache(tmp_path), 0)
    assert cache.find("a") is not None


def test_on_a_full_disk_what_was_not_used_lately_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(tmp_path)
    for key in ("old", "new"):
        made(cache, key, key)
    os.utime(tmp_path / "keys/old", (50, 50))
    assert make_room(tmp_path / "nowhere") == 0
    monkeypatch.setattr(pruning, "free_bytes", lambda _: 0)
    assert make_room(tmp_path) == 0
    monkeypatch.setattr(pruning, "free_bytes", lambda _: 1 << 40)
    assert make_room(tmp_path) == 2 * 10240
    assert cache.find("old") is None and cache.find("new") is not None
    after_build(cache)
    assert cache.find("new") is None
