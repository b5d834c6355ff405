"""One store for all courtyards of a user: what it holds of whom, and what was in stores of their own."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

import pytest

from madang.node.images.collection import candidates, let_go, sweep, unused
from madang.node.images.layout import Layout
from madang.node.images.place import bring, images, opened
from madang.node.images.store import Store
from tests.node.images.made import put, tar

ONE, TWO = [tar()], [tar(), tar()]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("dev", "prod"):
        (tmp_path / "m" / name / "run").mkdir(parents=True)
    return tmp_path / "m"


def own(court: Path, ref: str, **run: str) -> Layout:
    """A store as courtyards had them, with an image that a pod holds."""
    layout = Layout(court / "images")
    digest = put(layout, ref, ONE, **run)
    (layout.use(digest)).mkdir()
    (layout.use(digest) / "pod").touch()
    (court / "images" / "programs").mkdir()
    return layout


def test_all_courtyards_see_one_store(root: Path) -> None:
    put(opened(root / "dev").layout, "docker.io/library/a:1", ONE)
    assert opened(root / "prod").find("a:1") is not None
    assert not (root / "dev" / "images").exists()


def test_what_one_courtyard_holds_no_other_lets_go(root: Path) -> None:
    store = opened(root / "dev")
    digest = put(store.layout, "docker.io/library/a:1", ONE)
    image = store.find("a:1")
    assert image is not None
    store.hold(image, "p1@dev")
    store.hold(image, "p2@prod")
    store.keep_holders("dev", set())
    assert store.holders(digest) == ["p2@prod"]
    assert unused(candidates(store), named_too=True) == []
    (root / "prod").rename(root / ".prod.gone-1")  # forgotten: `down --purge`
    assert store.holders(digest) == []
    assert let_go(store, unused(candidates(store), named_too=True)) == [digest]
    assert sweep(store.layout) > 0 and not list(store.layout.uses.iterdir())


def test_a_killed_build_holds_nothing(root: Path) -> None:
    store = opened(root / "dev")
    put(store.layout, "docker.io/library/a:1", ONE)
    image = store.find("a:1")
    assert image is not None
    store.hold(image, f"build-{os.getpid()}-1")  # another process had this number
    assert store.holders(image.digest) == []


def test_stores_of_old_are_brought_together(root: Path) -> None:
    own(root / "dev", "docker.io/library/a:1", User="dev")
    own(root / "prod", "docker.io/library/a:1", User="prod")
    own_b = put(Layout(root / "prod" / "images"), "docker.io/library/b:1", TWO)
    store = opened(root / "dev")
    first, b = store.find("a:1"), store.find("b:1")
    assert first is not None and b is not None and b.digest == own_b
    assert len(store.all()) == 3, "the other a:1 has no name any more, and is there"
    assert sorted(h for i in store.all() for h in store.holders(i.digest)) == ["pod@dev", "pod@prod"]
    for court in ("dev", "prod"):
        assert [p.name for p in (root / court / "images").iterdir()] == ["programs"]
    assert sweep(store.layout) == 0 and len(opened(root / "prod").all()) == 3


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 5, 6])
def test_bringing_goes_on_where_it_was_cut_off(root: Path, cut: int, monkeypatch: pytest.MonkeyPatch) -> None:
    own(root / "dev", "docker.io/library/a:1")
    put(Layout(root / "dev" / "images"), "docker.io/library/b:1", TWO)
    left = [cut]
    rename = Path.rename

    def renamed(self: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", renamed)
    with suppress(KeyboardInterrupt):
        bring(root / "dev" / "images", Store(images(root / "dev")).layout, "dev")
    monkeypatch.setattr(Path, "rename", rename)
    store = opened(root / "prod")
    sweep(store.layout)
    assert store.find("a:1") is not None and store.find("b:1") is not None


def test_who_runs_keeps_what_it_stands_on(root: Path) -> None:
    own(root / "dev", "docker.io/library/a:1")
    with open(root / "dev" / "run" / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert opened(root / "prod").find("a:1") is None
        assert opened(root / "dev").find("a:1") is not None
