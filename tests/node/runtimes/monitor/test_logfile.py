"""The log in CRI form: nothing lost, nothing torn, bounded lines, bounded files."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madang.node.runtimes.monitor.logfile import PART_BYTES, Lines, LogFile, stamp

NOW = 1_769_850_000_000_000_001


def texts(entries: bytes) -> bytes:
    """What a reader of the log puts together again: parts joined, newlines after whole lines."""
    out = b""
    for entry in entries.split(b"\n")[:-1]:
        _, stream, tag, text = entry.split(b" ", 3)
        assert stream == b"stdout" and tag in (b"F", b"P") and len(text) <= PART_BYTES
        out += text + (b"\n" if tag == b"F" else b"")
    return out


def test_the_time_is_rfc_3339_with_nanoseconds() -> None:
    assert stamp(NOW) == b"2026-01-31T09:00:00.000000001Z"


def test_entries() -> None:
    lines = Lines("stderr")
    assert lines.feed(b"one\ntw", NOW) == b"2026-01-31T09:00:00.000000001Z stderr F one\n"
    assert lines.feed(b"o\n\n", NOW).split(b" ", 1)[1] == b"stderr F two\n" + stamp(NOW) + b" stderr F \n"
    lines.feed(b"rest", NOW)
    assert lines.end(NOW).endswith(b" stderr P rest\n")
    assert lines.end(NOW) == b""


@settings(deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=50), st.sampled_from([b"\n", b"x" * PART_BYTES, b"y" * 40_000]))))
def test_whatever_the_pieces_the_text_is_the_same(pieces: list[bytes]) -> None:
    lines = Lines("stdout")
    entries = b"".join(lines.feed(piece, NOW) for piece in pieces if piece) + lines.end(NOW)
    assert texts(entries) == b"".join(pieces)


def test_rotation_keeps_so_many_files(tmp_path: Path) -> None:
    log = LogFile(str(tmp_path / "c.log"), 4096, 3)
    for number in range(200):
        log.append(f"t stdout F {number:0100}\n".encode())
    log.close()
    assert sorted(os.listdir(tmp_path)) == ["c.log", "c.log.1", "c.log.2"]
    assert all(path.stat().st_size <= 4096 for path in tmp_path.iterdir())
    kept = "".join((tmp_path / name).read_text() for name in ("c.log.2", "c.log.1", "c.log"))
    numbers = [int(line.split()[-1]) for line in kept.splitlines()]
    assert numbers == list(range(numbers[0], 200))


def test_one_file_only(tmp_path: Path) -> None:
    log = LogFile(str(tmp_path / "c.log"), 4096, 1)
    for _ in range(100):
        log.append(b"x" * 99 + b"\n")
    log.close()
    assert os.listdir(tmp_path) == ["c.log"]


def test_it_goes_on_where_it_was(tmp_path: Path) -> None:
    for _ in range(2):
        log = LogFile(str(tmp_path / "c.log"), 4096, 2)
        log.append(b"entry\n")
        log.close()
    assert (tmp_path / "c.log").read_bytes() == b"entry\nentry\n"


def test_a_disk_that_refuses_costs_entries_not_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = LogFile(str(tmp_path / "c.log"), 4096, 2)
    log.append(b"before\n")
    written = os.write

    def short(fd: int, data: bytes) -> int:
        return written(fd, data[:3])

    def full(fd: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    for fault in (short, full):
        monkeypatch.setattr(os, "write", fault)
        log.append(b"lost\n")
    monkeypatch.setattr(os, "write", written)
    log.append(b"after\n")
    log.close()
    assert log.dropped == 2
    assert (tmp_path / "c.log").read_bytes() == b"before\nafter\n"
