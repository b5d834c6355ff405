import io
import os
import tarfile
from pathlib import Path

import pytest

from madang.node.building.layers import EMPTY, clamp, pack, prune


def tree(folder: Path) -> Path:
    (folder / "b/inner").mkdir(parents=True)
    (folder / "a").write_text("a")
    os.link(folder / "a", folder / "b/again")
    (folder / "b/link").symlink_to("/anywhere")
    for path in (folder / "a", folder / "b/inner", folder / "b"):
        path.chmod(0o755)
        os.utime(path, (1000, 1000))
    os.utime(folder / "b/link", (1000, 1000), follow_symlinks=False)
    return folder


def listed(path: Path) -> list[tuple[str, bytes, str, int]]:
    with tarfile.open(path) as tar:
        return [(m.name, m.type, m.linkname, int(m.mtime)) for m in tar]


def test_the_same_tree_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (pack(tree(tmp_path / name), tmp_path / f"{name}.tar") for name in ("one", "two"))
    assert first == second
    assert first.size == (tmp_path / "one.tar").stat().st_size
    assert listed(tmp_path / "one.tar") == [
        ("a", tarfile.REGTYPE, "", 1000),
        ("b", tarfile.DIRTYPE, "", 1000),
        ("b/again", tarfile.LNKTYPE, "a", 1000),
        ("b/inner", tarfile.DIRTYPE, "", 1000),
        ("b/link", tarfile.SYMTYPE, "/anywhere", 1000),
    ]


def test_nothing_is_known_by_its_digest(tmp_path: Path) -> None:
    (tmp_path / "upper").mkdir()
    assert pack(tmp_path / "upper", tmp_path / "tar").diff_id == EMPTY
    out = io.BytesIO()
    tarfile.open(fileobj=out, mode="w").close()
    assert (tmp_path / "tar").read_bytes() == out.getvalue()


def test_no_file_is_younger_than_it_may_be(tmp_path: Path) -> None:
    upper = tree(tmp_path / "upper")
    os.utime(upper / "b", (5000, 5000))
    os.utime(upper / "b/link", (5000, 5000), follow_symlinks=False)
    clamp(upper, 2000)
    pack(upper, tmp_path / "tar")
    assert [mtime for *_, mtime in listed(tmp_path / "tar")] == [1000, 2000, 1000, 1000, 2000]


def test_what_was_taken_away_and_what_was_made_anew(tmp_path: Path, as_root: None) -> None:
    upper = tmp_path / "upper"
    (upper / "new").mkdir(parents=True)
    os.mknod(upper / "gone", 0o020000, 0)
    os.mknod(upper / "null", 0o020666, os.makedev(1, 3))
    try:
        os.setxattr(upper / "new", "trusted.overlay.opaque", b"y")
    except OSError as error:
        pytest.skip(f"no trusted attributes here: {error}")
    pack(upper, tmp_path / "tar")
    assert [(name, kind) for name, kind, *_ in listed(tmp_path / "tar")] == [
        (".wh.gone", tarfile.REGTYPE),
        ("new", tarfile.DIRTYPE),
        ("new/.wh..wh..opq", tarfile.REGTYPE),
        ("null", tarfile.CHRTYPE),
    ]


def test_folders_in_which_nothing_differs_are_no_change(tmp_path: Path) -> None:
    lower, upper = tmp_path / "lower", tmp_path / "upper"
    for folder in (lower, upper):
        (folder / "same/same").mkdir(parents=True)
        (folder / "mode").mkdir()
        for path in (folder / "same/same", folder / "same", folder / "mode"):
            os.utime(path, (1000, 1000))
    (upper / "mode").chmod(0o700)
    (upper / "own").mkdir()
    prune(upper, [lower])
    left = sorted(p.name for p in upper.iterdir())
    assert left == ["mode", "own"]
