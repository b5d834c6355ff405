"""Small files: their content, their mode whatever the umask, and what happens to one that is there."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from madang.node import small_files


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("wanted", [0o644, 0o666, 0o400, 0o755])
def test_put(tmp_path: Path, wanted: int) -> None:
    path = tmp_path / "file"
    small_files.put(path, b"a longer text", wanted)
    assert path.read_bytes() == b"a longer text" and mode(path) == wanted


def test_put_replaces_all_of_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a longer text")
    small_files.put(path, b"short", 0o644)
    assert path.read_bytes() == b"short" and mode(path) == 0o644


def test_make_leaves_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    small_files.make(path, 0o666)
    assert path.read_bytes() == b"" and mode(path) == 0o666
    path.write_bytes(b"said")
    path.chmod(0o600)
    small_files.make(path, 0o666)
    assert path.read_bytes() == b"said" and mode(path) == 0o600


def test_tell_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        small_files.tell(tmp_path / "absent", b"0")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_takes_a_part_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[bytes] = []

    def write(fd: int, data: bytes) -> int:
        taken.append(bytes(data[:3]))
        return len(taken[-1])

    monkeypatch.setattr(os, "write", write)
    small_files.write(-1, b"12345678")
    assert taken == [b"123", b"456", b"78"]


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("this machine has no /dev/full")
    with pytest.raises(OSError, match="No space left"):
        small_files.tell("/dev/full", b"0")


def test_a_folder_is_made_with_those_above_it(tmp_path: Path) -> None:
    assert small_files.folder(tmp_path / "a" / "b" / "c") and (tmp_path / "a" / "b" / "c").is_dir()
    assert not small_files.folder(tmp_path / "a" / "b")
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        small_files.folder(tmp_path / "file")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    with pytest.raises(FileExistsError):
        small_files.folder(tmp_path / "nowhere" / "below")
