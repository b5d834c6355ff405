"""The store as its readers see it."""

from contextlib import suppress
from pathlib import Path

import pytest

from madang.node.images.store import Damaged, Store
from tests.node.images.made import put, sha256, tar

LAYER = tar()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "images")


def test_found_by_every_name(store: Store) -> None:
    assert store.find("redis:7") is None and store.all() == []
    digest = put(store.layout, "docker.io/library/redis:7", [LAYER], Cmd=["redis-server"])
    image = store.find("redis:7")
    assert image is not None and image.digest == digest and image.config.cmd == ("redis-server",)
    names = ["docker.io/library/redis:7", f"redis@{digest}", f"any.where/x@{digest}", digest, image.id]
    assert all(store.find(name) == image for name in names)
    assert [layer.diff_id for layer in image.layers] == [sha256(LAYER)] and image.layers[0].created_by == "step 0"
    assert image.layers[0].folder.is_dir() and image.platform == "linux/amd64"
    assert store.find("redis:8") is None


def test_a_tree_that_is_gone_makes_an_image_unknown(store: Store) -> None:
    put(store.layout, "docker.io/library/redis:7", [LAYER])
    (store.layout.tree(sha256(LAYER)) / "record.json").unlink()
    assert store.find("redis:7") is None


def test_a_tree_of_another_layer_is_not_taken(store: Store) -> None:
    put(store.layout, "docker.io/library/redis:7", [LAYER])
    record = store.layout.tree(sha256(LAYER)) / "record.json"
    record.write_text(record.read_text().replace(sha256(LAYER), "sha256:" + "0" * 64))
    assert store.find("redis:7") is None


def test_holders(store: Store) -> None:
    digest = put(store.layout, "docker.io/library/redis:7", [LAYER])
    image = store.find("redis:7")
    assert image is not None
    store.hold(image, "c2")
    store.hold(image, "c1")
    assert store.holders(digest) == ["c1", "c2"] and store.last_used(digest) > 0
    store.release(digest, "c1")
    store.release(digest, "c1")
    assert store.holders(digest) == ["c2"]


def test_who_takes_an_image_that_is_being_removed_is_told(store: Store) -> None:
    digest = put(store.layout, "docker.io/library/redis:7", [LAYER])
    image = store.find("redis:7")
    assert image is not None
    with store.layout.changing() as entries:
        entries.clear()
    with pytest.raises(Damaged, match="removed"):
        store.hold(image, "c1")
    assert store.holders(digest) == []


def test_a_change_that_fails_changes_nothing(store: Store) -> None:
    put(store.layout, "docker.io/library/redis:7", [LAYER])
    with suppress(RuntimeError), store.layout.changing() as entries:
        entries.clear()
        raise RuntimeError
    assert store.find("redis:7") is not None


def test_a_file_changes_as_a_whole(store: Store) -> None:
    target = store.layout.home / "file"
    store.layout.write(target, b"before")
    with open(target, "rb") as reader:
        store.layout.write(target, b"after")
        assert reader.read() == b"before" and target.read_bytes() == b"after"
