import os
from functools import partial
from pathlib import Path

from madang.node.building.cache import Cache
from madang.node.building.layers import pack
from madang.node.building.pruning import after_build

nothing_stays = partial(after_build, limit_bytes=0)


def made(cache: Cache, key: str, text: str) -> str:
    with cache.work() as work:
        (work / "upper").mkdir()
        (work / "upper/file").write_text(text)
        return cache.keep(key, work / "upper", work / "blob", pack(work / "upper", work / "blob")).diff_id


def test_a_layer_is_found_by_its_key_again(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    assert cache.find("k") is None
    diff_id = made(cache, "k", "1")
    found = Cache(tmp_path).find("k")
    assert found is not None and found.diff_id == diff_id
    assert (found.folder / "file").read_text() == "1"
    assert found.blob.stat().st_size == found.size
    assert list((tmp_path / "work").iterdir()) == []


def test_a_key_whose_layer_is_gone_or_whose_record_is_torn_is_none(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    made(cache, "a", "1")
    made(cache, "b", "2")
    found = cache.find("a")
    assert found is not None
    found.blob.unlink()
    (tmp_path / "keys/b").write_text("{")
    assert cache.find("a") is None and cache.find("b") is None
    made(cache, "b", "2")
    assert cache.find("b") is not None


def test_the_layers_used_last_are_kept(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for number, key in enumerate("abc"):
        made(cache, key, key)
        os.utime(tmp_path / "keys" / key, (number, number))
    made(cache, "same", "b")
    os.utime(tmp_path / "keys/same", (0, 0))
    assert cache.find("a") is not None  # used now
    with cache.used(partial(after_build, limit_bytes=4 * 10240)):  # as folder and as archive
        pass
    assert [key for key in ("a", "b", "c", "same") if cache.find(key)] == ["a", "c"]
    assert len(list((tmp_path / "layers").iterdir())) == 2


def test_what_a_killed_build_left_is_swept_by_the_next_that_is_alone(tmp_path: Path) -> None:
    left = tmp_path / "work/left/inner"
    cache = Cache(tmp_path)
    left.mkdir(parents=True)
    made(cache, "a", "a")
    with cache.used():
        assert not left.exists()
        left.mkdir(parents=True)
        with Cache(tmp_path).used(nothing_stays):
            assert left.exists()
        assert cache.find("a") is not None
    with cache.used(nothing_stays):
        assert not left.exists()
    assert cache.find("a") is None
