"""A backup's file: what was put in comes out; what is no backup, or a damaged one, is refused with the reason."""

import gzip
import io
import os
import random
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from madang.courtyard.backup import writing
from madang.courtyard.backup.manifest import HEAD, SEAL, Manifest, Wrong
from madang.courtyard.backup.reading import unpack
from madang.courtyard.backup.writing import archive

MANIFEST = Manifest("default", "/state/default", "0.1.0", "2026-01-31T12:00:00Z", 7, ("volumes/shop/a",), ())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    (source / "deep" / "er").mkdir(parents=True)
    (source / "text").write_text("text")
    (source / "text").chmod(0o640)
    os.link(source / "text", source / "second")
    (source / "link").symlink_to("/etc")
    (source / "deep" / "er" / "random").write_bytes(random.Random(1).randbytes(300_000))
    path = tmp_path / "backup.tar.gz"
    with archive(path, MANIFEST) as made:
        made.data("state.db", b"objects")
        made.tree(source, "volumes/shop/a")
        made.tree(source / "nowhere", "pki")
    return path


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


def test_what_goes_in_comes_out(file: Path, into: Path, tmp_path: Path) -> None:
    assert unpack(file, into) == MANIFEST
    assert file.stat().st_mode & 0o777 == 0o600
    volume = into / "volumes" / "shop" / "a"
    assert (volume / "second").stat().st_ino == (volume / "text").stat().st_ino
    assert (volume / "text").stat().st_mode & 0o777 == 0o640 and (volume / "text").read_text() == "text"
    assert os.readlink(volume / "link") == "/etc"
    assert (volume / "deep/er/random").read_bytes() == (tmp_path / "source/deep/er/random").read_bytes()
    assert (into / "state.db").read_bytes() == b"objects" and not (into / "pki").exists()


def test_nothing_is_left_of_one_that_failed(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full"), archive(tmp_path / "b", MANIFEST):
        raise OSError(28, "full")
    assert list(tmp_path.iterdir()) == []


def test_every_flipped_byte_and_every_cut_is_found(file: Path, into: Path) -> None:
    """Of the plain archive: gzip's own checksum is not needed for it."""
    whole = bytearray(gzip.decompress(file.read_bytes()))
    plain = file.with_name("plain.gz")
    chance = random.Random(2)
    places = [chance.randrange(len(whole)) for _ in range(60)]
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 1 << chance.randrange(8)
        assert refused_or_same(plain, bytes(changed), into), f"byte {place} flipped, and nobody noticed"
    for place in places:
        assert not accepted(plain, bytes(whole[: place // 2]), into), f"cut at {place // 2}, and nobody noticed"


def refused_or_same(path: Path, data: bytes, into: Path) -> bool:
    """Padding, and what tar itself keeps twice (owner's names), may differ without harm."""
    if not accepted(path, data, into):
        return True
    return (into / "state.db").read_bytes() == b"objects" and (into / "volumes/shop/a/text").read_text() == "text"


def accepted(path: Path, data: bytes, into: Path) -> bool:
    import shutil

    shutil.rmtree(into)
    into.mkdir()
    path.write_bytes(gzip.compress(data, 1))
    try:
        unpack(path, into)
    except (Wrong, OSError):
        return False
    return True


def packed(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with gzip.open(path, "wb") as out, tarfile.open(mode="w|", fileobj=out) as tar:
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def link(name: str, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info


def hello(path: Path) -> Path:
    path.write_bytes(b"hello")
    return path


WRONG: dict[str, Callable[[Path], Path]] = {
    "is no backup of a courtyard: it is not compressed": hello,
    "is no backup of a courtyard: it does not begin with": lambda p: packed(p, (tarfile.TarInfo("a"), b"")),
    "cannot be read": lambda p: packed(p, (tarfile.TarInfo(HEAD), b"{}")),
    "written by a newer Madang": lambda p: packed(p, (tarfile.TarInfo(HEAD), b'{"format": 2, "version": "9.0"}')),
    "its end is missing": lambda p: packed(p, (tarfile.TarInfo(HEAD), MANIFEST.text())),
    "the checksum differs": lambda p: packed(
        p, (tarfile.TarInfo(HEAD), MANIFEST.text()), (tarfile.TarInfo(SEAL), b"{}")
    ),
    "is no part of a courtyard": lambda p: packed(
        p, (tarfile.TarInfo(HEAD), MANIFEST.text()), (tarfile.TarInfo("volumes/../../x"), b"")
    ),
    "leads out of the courtyard's folder": lambda p: packed(
        p,
        (tarfile.TarInfo(HEAD), MANIFEST.text()),
        (link("volumes/x", "/tmp"), b""),
        (tarfile.TarInfo("volumes/x/y"), b""),
    ),
}


def folder(name: str, mode: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode = tarfile.DIRTYPE, mode
    return info


@pytest.mark.parametrize("name", ["volumes/a/x", "volumes/a/x/deep/er"])
def test_no_folder_outside_is_made_or_opened(name: str, tmp_path: Path, into: Path) -> None:
    """By a link that came before, in the folder's own place or above it."""
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o700)
    members = (link("volumes/a/x", str(outside)), b""), (folder(name, 0o777), b"")
    path = packed(tmp_path / "wrong", (tarfile.TarInfo(HEAD), MANIFEST.text()), *members)
    with pytest.raises(Wrong, match="leads out of the courtyard's folder"):
        unpack(path, into)
    assert outside.stat().st_mode & 0o777 == 0o700 and not any(outside.iterdir())


@pytest.mark.parametrize("name", ["state.db", "admin.token", "images/programs/x.json"])
def test_the_courtyards_own_files_are_no_links(name: str, tmp_path: Path, into: Path) -> None:
    path = packed(tmp_path / "wrong", (tarfile.TarInfo(HEAD), MANIFEST.text()), (link(name, "/etc/hostname"), b""))
    with pytest.raises(Wrong, match="is of a kind that no backup holds"):
        unpack(path, into)


@pytest.mark.parametrize("reason", WRONG)
def test_wrong_files(reason: str, tmp_path: Path, into: Path) -> None:
    with pytest.raises(Wrong, match=reason):
        unpack(WRONG[reason](tmp_path / "wrong"), into)


def test_memory_stays_bounded(tmp_path: Path) -> None:
    """tarfile would remember every member."""
    source = tmp_path / "many"
    source.mkdir()
    for number in range(50):
        (source / str(number)).touch()
    with archive(tmp_path / "b", MANIFEST) as made:
        made.tree(source, "volumes/shop/a")
        assert len(made._tar.members) == 0  # type: ignore[attr-defined]
    assert writing.LEVEL == 1
