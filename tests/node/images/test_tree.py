"""A layer as a folder: what overlayfs needs, and what tries to get out of it."""

import os
import stat
import tarfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.node.images import tree as module
from madang.node.images.flow import Flow
from madang.node.images.layout import Tree, remove
from madang.node.images.limits import BadArchive, Limits, NoRoom
from madang.node.images.tree import TreeWriter
from tests.node.images.made import member, tar

DIR, SYM, LNK, CHR = tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE
Member = tuple[tarfile.TarInfo, bytes]


def unpack(folder: Path, *members: Member) -> Tree:
    folder.mkdir(exist_ok=True)
    root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        writer = TreeWriter(root)
        with Flow(iter([tar(*members)])) as flow:
            writer.write(flow)
            return writer.finish(flow.finish()[1])
    finally:
        os.close(root)


def sym(name: str, target: str) -> Member:
    return member(name, type=SYM, linkname=target)


def link(name: str, target: str) -> Member:
    return member(name, type=LNK, linkname=target)


def folder(name: str, **more: Any) -> Member:
    return member(name, type=DIR, **{"mode": 0o755, **more})


def is_whiteout(path: Path) -> bool:
    status = path.lstat()
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def is_opaque(path: Path) -> bool:
    return any(a.endswith(".overlay.opaque") for a in os.listxattr(path))


@pytest.fixture
def to(tmp_path: Path) -> Path:
    (tmp_path / "outside").write_text("untouched")
    return tmp_path / "tree"


def test_what_is_in_a_layer(to: Path) -> None:
    mask = os.umask(0o77)
    try:
        weighed = unpack(
            to,
            folder("./", mode=0o711, mtime=5),
            folder("d/", mode=0o500, mtime=7),
            member("d/f", b"body", mode=0o4755, mtime=9),
            sym("d/s", "../../outside"),
            link("h", "d/f"),
            member("p", type=tarfile.FIFOTYPE, mode=0o620),
            member("implied/x", b"1", mode=0o666),
            member("dev/null", type=CHR, devmajor=1, devminor=3),
        )
    finally:
        os.umask(mask)
    assert (weighed.size_bytes, weighed.entries, weighed.left_out) == (5, 8, 1)
    d = (to / "d").stat()
    assert (stat.S_IMODE(d.st_mode), d.st_mtime) == (0o500, 7)
    f = (to / "d" / "f").stat()
    assert (stat.S_IMODE(f.st_mode), f.st_mtime, f.st_nlink) == (0o4755, 9, 2)
    assert os.readlink(to / "d" / "s") == "../../outside" and (to / "h").read_text() == "body"
    assert stat.S_ISFIFO((to / "p").stat().st_mode) and stat.S_IMODE((to / "p").stat().st_mode) == 0o620
    assert stat.S_IMODE((to / "implied").stat().st_mode) == 0o755
    assert stat.S_IMODE((to / "implied" / "x").stat().st_mode) == 0o666
    assert not (to / "dev" / "null").exists()
    assert (stat.S_IMODE(to.stat().st_mode), to.stat().st_mtime) == (0o711, 5)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_owners(to: Path) -> None:
    unpack(to, folder("d", uid=1, gid=2), member("d/f", b"x", uid=3, gid=4, mode=0o6755))
    assert ((to / "d").stat().st_uid, (to / "d" / "f").stat().st_gid) == (1, 4)
    assert stat.S_IMODE((to / "d" / "f").stat().st_mode) == 0o6755


def test_attributes_but_not_those_of_overlayfs(to: Path) -> None:
    info, body = member("f", b"x")
    info.pax_headers = {
        "SCHILY.xattr.user.note": "kept",
        "SCHILY.xattr.user.overlay.redirect": "/etc",
        "SCHILY.xattr.trusted.overlay.redirect": "/etc",
    }
    unpack(to, (info, body))
    assert [a for a in os.listxattr(to / "f") if "selinux" not in a] == ["user.note"]


ESCAPES: dict[str, list[Member]] = {
    "climbs": [member("../outside", b"got you")],
    "climbs later": [folder("a"), member("a/../../outside", b"got you")],
    "hard link out": [link("h", "../outside"), member("h", b"got you")],
    "hard link through a link": [sym("l", ".."), link("h", "l/outside"), member("h", b"got you")],
    "link to a folder above": [sym("l", ".."), member("l/outside", b"got you")],
    "absolute link": [sym("l", "/"), member("l/outside", b"got you")],
    "link to a file": [sym("l", "../outside"), member("l", b"got you")],
    "links in links": [sym("a", "b/.."), sym("b", "../.."), member("a/outside", b"got you")],
    "link takes a folder's place": [folder("a"), member("a/x", b""), sym("a", ".."), member("a/outside", b"got you")],
    "folder metadata through a link": [folder("a", mode=0o700), sym("a", ".."), folder("./")],
    "whiteout through a link": [sym("l", ".."), member("l/.wh.outside", b"")],
    "opaque through a link": [sym("l", ".."), member("l/.wh..wh..opq", b"")],
    "absolute": [member("/outside", b"got you")],
    "whiteout climbs": [member(".wh...", b"")],
    "loop": [sym("a", "b"), sym("b", "a"), member("a/x", b"got you")],
    "link to itself": [member("a", b"1"), link("a", "a")],
    "hard link to a folder": [folder("a"), link("b", "a")],
    "hard link to the root": [link("b", "/")],
    "through a file": [member("a", b"1"), member("a/b", b"got you")],
    "through a whiteout": [member(".wh.a", b""), link("x", "a")],
    "deep": [member("d/" * 300 + "f", b"")],
}


@pytest.mark.parametrize("members", ESCAPES.values(), ids=ESCAPES)
def test_no_way_out(to: Path, members: list[Member]) -> None:
    before = to.parent.stat().st_mode
    with suppress(BadArchive):
        unpack(to, *members)
    assert sorted(p.name for p in to.parent.iterdir()) == ["outside", "tree"]
    assert (to.parent / "outside").read_text() == "untouched" and to.parent.stat().st_mode == before
    assert (to.parent / "outside").stat().st_nlink == 1 and not os.listxattr(to.parent)


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ([member("../x", b"")], "climbs out of its layer"),
        ([link("a", "missing")], "which this layer does not hold"),
        ([member(".wh.a", b""), link("b", "a")], "which this layer does not hold"),
        ([folder("a"), link("b", "a")], "hard link to the folder"),
        ([member("a", b""), member("a/b", b"")], "is no folder"),
        ([sym("a", "b"), sym("b", "a"), member("a/x", b"")], "more than 40 links"),
        ([member(".wh..wh..opq", b"")], "hides everything"),
        ([sym("a", "")], "link to nothing"),
    ],
)
def test_refused_by_name(to: Path, members: list[Member], says: str) -> None:
    with pytest.raises(BadArchive, match=says):
        unpack(to, *members)


def test_a_link_within_the_layer_is_followed(to: Path) -> None:
    unpack(to, folder("usr/lib"), sym("lib", "usr/lib"), member("lib/x", b"1"))
    unpack(to, sym("up", "/../usr"), member("up/y", b""))
    assert (to / "usr" / "lib" / "x").read_text() == "1" and (to / "usr" / "y").exists()


def test_later_entries_win(to: Path) -> None:
    unpack(
        to, member("a", b"1"), member("a", b"2"), folder("b"), member("b/x", b""), member("b", b"file"),
        sym("c", "a"), folder("c"), sym("d", "x"), sym("d", "y"), member("e", b""), link("e", "a"),
        folder("f"), folder("f"),
    )  # fmt: skip
    assert (to / "a").read_text() == "2" and (to / "b").read_text() == "file" and (to / "e").samefile(to / "a")
    assert (to / "c").is_dir() and not (to / "c").is_symlink() and os.readlink(to / "d") == "y"


def test_whiteouts(to: Path) -> None:
    unpack(to, member("a/.wh.gone", b""), folder("o"), member("o/.wh..wh..opq", b""), member("o/new", b""))
    assert is_whiteout(to / "a" / "gone") and is_opaque(to / "o") and (to / "o" / "new").exists()
    assert not list(to.rglob(".wh.*"))


@given(st.permutations([member(".wh.d", b""), member("d/x", b"1"), member(".wh.f", b""), member("f", b"2")]))
def test_a_whiteout_hides_nothing_of_its_own_layer(tmp_path_factory: Any, order: list[Member]) -> None:
    to = tmp_path_factory.mktemp("t") / "tree"
    unpack(to, *order)
    assert (to / "d" / "x").read_text() == "1" and is_opaque(to / "d") and (to / "f").read_text() == "2"


NAMES = st.sampled_from(["a", "b", "a/b", "b/a", "a/b/c", "b/../a", "/a", "l", "l/a", "l/l", "../a"])
ANY = st.one_of(
    st.tuples(NAMES, st.just(b"x")).map(lambda t: member(t[0], t[1])),
    NAMES.map(folder),
    st.tuples(NAMES, st.sampled_from(["..", "/", "a", "../..", "l", "a/b", "/../a"])).map(lambda t: sym(*t)),
    st.tuples(NAMES, NAMES).map(lambda t: link(*t)),
    NAMES.map(lambda n: member(f"{n}/.wh.b", b"")),
    NAMES.map(lambda n: member(f"{n}/.wh..wh..opq", b"")),
)


@given(st.lists(ANY, max_size=12))
def test_whatever_a_layer_holds_stays_in_its_folder(tmp_path_factory: Any, members: list[Member]) -> None:
    around = tmp_path_factory.mktemp("t")
    (around / "a").write_text("untouched")
    opened = len(os.listdir("/proc/self/fd"))
    with suppress(BadArchive):
        unpack(around / "tree", *members)
    assert sorted(p.name for p in around.iterdir()) == ["a", "tree"]
    status = (around / "a").lstat()
    assert (around / "a").read_text() == "untouched" and status.st_nlink == 1 and not os.listxattr(around)
    assert len(os.listdir("/proc/self/fd")) == opened


def test_a_disk_that_fills(to: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY", 1)
    monkeypatch.setattr(module, "LIMITS", Limits(reserve_bytes=1 << 60))
    with pytest.raises(NoRoom, match="left on the disk"):
        unpack(to, member("f", b"xxx"))


def test_folders_closed_to_their_owner_can_be_removed(to: Path) -> None:
    unpack(to, folder("a", mode=0), folder("a/b", mode=0), member("a/b/f", b"", mode=0))
    remove(to)
    assert not to.exists()
