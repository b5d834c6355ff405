"""The copy in two passes: what comes out is what was there at the second, whatever was written between them."""

import mmap
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.courtyard.backup import mirror
from madang.courtyard.backup.mirror import Mirror, written_maps


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is old enough for its times to tell."""
    monkeypatch.setattr(mirror, "TICK_S", -1e12)


def tree(folder: Path) -> dict[str, tuple[int, str]]:
    """Names, modes and contents."""
    found = {}
    for path in sorted(folder.rglob("*")):
        info = path.lstat()
        content = os.readlink(path) if path.is_symlink() else path.read_text() if path.is_file() else ""
        found[str(path.relative_to(folder))] = (stat.S_IMODE(info.st_mode), content)
    return found


def test_kinds_modes_holes_and_names_of_one_file(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "closed").mkdir(parents=True)
    (source / "closed" / "a").write_text("a")
    (source / "closed").chmod(0o500)
    os.link(source / "closed" / "a", source / "b")
    (source / "away").symlink_to("/nowhere")
    os.mkfifo(source / "pipe")
    with (source / "holes").open("wb") as file:
        file.seek(8 << 20)
        file.write(b"end")
    copy = Mirror(source, tmp_path / "target")
    copy.update()
    copy.update()
    target = tmp_path / "target"
    assert tree(source).keys() == tree(target).keys()
    assert (target / "closed").stat().st_mode & 0o777 == 0o500
    assert (target / "b").stat().st_ino == (target / "closed" / "a").stat().st_ino
    assert os.readlink(target / "away") == "/nowhere" and stat.S_ISFIFO((target / "pipe").stat().st_mode)
    assert (target / "holes").read_bytes() == (source / "holes").read_bytes()
    assert (target / "holes").stat().st_blocks < 1000


def test_only_what_changed_is_read_again(tmp_path: Path, settled: None) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("same", "changes", "goes"):
        (source / name).write_text(name * 100)
    copy = Mirror(source, tmp_path / "target")
    copy.update()
    before = copy.bytes
    (source / "changes").write_text("new")
    (source / "goes").unlink()
    (source / "comes").write_text("comes")
    copy.update()
    assert copy.bytes - before == len("new") + len("comes")
    assert tree(tmp_path / "target") == tree(source)


def test_what_is_too_young_to_tell_is_read_again(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "young").write_text("12345")
    copy = Mirror(source, tmp_path / "target")
    copy.update()
    copy.update()
    assert copy.bytes == 10


def test_what_is_mapped_to_write_is_read_again(tmp_path: Path, settled: None) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "mapped").write_bytes(b"a" * 4096)
    with (source / "mapped").open("r+b") as file, mmap.mmap(file.fileno(), 4096) as memory:
        memory[0:1] = b"b"
        copy = Mirror(source, tmp_path / "target")
        copy.update()
        info = (source / "mapped").stat()
        memory[0:1] = b"c"
        os.utime(source / "mapped", ns=(info.st_atime_ns, info.st_mtime_ns))
        inodes = written_maps([os.getpid()])
        assert info.st_ino in inodes
        copy.update(inodes)
        assert (tmp_path / "target" / "mapped").read_bytes()[:1] == b"c"


NAMES = st.sampled_from(["a", "b", "d/a", "d/e/c"])
STEPS = st.lists(st.tuples(NAMES, st.sampled_from(["write", "remove", "link", "folder"]), st.text("xyz", max_size=3)))


def act(source: Path, name: str, what: str, text: str) -> None:
    path = source / name
    mirror.remove(path)
    for parent in reversed(path.relative_to(source).parents):
        if (source / parent).is_symlink() or not (source / parent).is_dir():
            mirror.remove(source / parent)
            (source / parent).mkdir()
    if what == "write":
        path.write_text(text)
    elif what == "link":
        path.symlink_to(text or "x")
    elif what == "folder":
        path.mkdir()


@given(STEPS, STEPS)
def test_the_second_pass_makes_it_whole(tmp_path_factory: pytest.TempPathFactory, first: list, then: list) -> None:  # type: ignore[type-arg]
    place = tmp_path_factory.mktemp("m")
    source = place / "source"
    source.mkdir()
    for step in first:
        act(source, *step)
    copy = Mirror(source, place / "target")
    copy.update()
    for step in then:
        act(source, *step)
    copy.update()
    names = {
        p.relative_to(source): (os.readlink(p) if p.is_symlink() else p.is_dir() or p.read_text())
        for p in source.rglob("*")
    }
    target = place / "target"
    assert names == {
        p.relative_to(target): (os.readlink(p) if p.is_symlink() else p.is_dir() or p.read_text())
        for p in target.rglob("*")
    }
    mirror.remove(place)


@pytest.mark.parametrize("what", ["link", "write"])
def test_a_folder_that_became_something_else(what: str, tmp_path: Path) -> None:
    """Nothing is removed where a link in its place leads to."""
    source, outside = tmp_path / "source", tmp_path / "outside"
    for place in (source / "d", outside):
        place.mkdir(parents=True)
        (place / "kept").write_text("kept")
    copy = Mirror(source, tmp_path / "target")
    copy.update()
    act(source, "d", what, str(outside))
    copy.update()
    assert (outside / "kept").read_text() == "kept"
    assert tree(source) == tree(tmp_path / "target")


@pytest.mark.parametrize("what", ["link", "folder", "remove", "pipe"])
def test_what_changes_its_kind_under_the_first_pass_is_taken_by_the_second(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    act(source, "b", "write", "b")
    copy, real = Mirror(source, tmp_path / "target"), mirror.copy_file

    def changed(one: Path, target: Path) -> int:
        act(source, "b", "remove" if what == "pipe" else what, "elsewhere")
        if what == "pipe":
            os.mkfifo(source / "b")
        return real(one, target)

    with monkeypatch.context() as patch:
        patch.setattr(mirror, "copy_file", changed)
        copy.update()
    copy.update()
    assert tree(source) == tree(tmp_path / "target")
    assert all((source / name).lstat().st_mode == (tmp_path / "target" / name).lstat().st_mode for name in tree(source))
