"""The last lines of a log: found from its end, whatever was rotated, cut in parts or written to the other stream."""

import asyncio
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.node.runtimes import logs, tail

ENTRY = st.tuples(st.sampled_from(("stdout", "stderr")), st.booleans(), st.text(alphabet="ab ", max_size=12))


def entry(stream: str, whole: bool, text: str) -> bytes:
    return f"2030-01-01T00:00:00Z {stream} {'F' if whole else 'P'} {text}\n".encode()


def wanted(entries: list[tuple[str, bool, str]], count: int, stream: str) -> list[bytes]:
    """The same, counted forwards over everything."""
    ends = [n for n, (of, whole, _) in enumerate(entries) if stream in ("", of) and whole]
    mine = [n for n, (of, _, _) in enumerate(entries) if stream in ("", of)]
    if mine and mine[-1] not in ends:
        ends.append(mine[-1])  # a line whose end has not come yet
    if len(ends) <= count:
        return [entry(*one) for one in entries]
    first = ends[-count - 1] + 1
    return [entry(*one) for one in entries[first:]]


async def last(log: Path, count: int, stream: str = "") -> list[bytes]:
    return [
        line async for chunk in logs.read(log, tail=count, stream=stream) for line in chunk.splitlines(keepends=True)
    ]


@given(
    st.lists(st.lists(ENTRY, max_size=12), min_size=1, max_size=4),
    st.integers(0, 15),
    st.sampled_from(("", "stdout", "stderr")),
    st.integers(5, 80),
    st.booleans(),
)
def test_it_is_the_end_of_all(
    files: list[list[tuple[str, bool, str]]], count: int, stream: str, block: int, torn: bool
) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tail, "BLOCK", block)
        log = Path(folder) / "0.log"
        for age, entries in enumerate(reversed(files)):
            path = log if age == 0 else Path(f"{log}.{age}")
            path.write_bytes(
                b"".join(entry(*one) for one in entries) + (b"2030 stdout F torn" if torn and not age else b"")
            )
        everything = [one for entries in files for one in entries]
        assert asyncio.run(last(log, count, stream)) == wanted(everything, count, stream)


def test_a_long_log_is_not_read_for_its_last_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, took = tmp_path / "0.log", 0
    for name in ("0.log.2", "0.log.1", "0.log"):
        (tmp_path / name).write_bytes(entry("stdout", True, "x" * 100) * 10_000)

    def counted(read: object) -> object:
        def one(*arguments: int) -> bytes:
            nonlocal took
            data: bytes = read(*arguments)  # type: ignore[operator]
            took += len(data)
            return data

        return one

    monkeypatch.setattr(os, "read", counted(os.read))
    monkeypatch.setattr(os, "pread", counted(os.pread))
    assert len(asyncio.run(last(log, 3))) == 3
    assert took < 2 * tail.BLOCK
