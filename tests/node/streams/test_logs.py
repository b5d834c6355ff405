"""`kubectl logs` over CRI lines: options one by one, and together over random logs."""

import asyncio
from collections.abc import AsyncIterator

from hypothesis import given
from hypothesis import strategies as st

from madang.node.streams.logs import lines, printed, seconds
from madang.ports.streams import LogOptions

LOG = (
    b"2030-01-01T00:00:01.000000000Z stdout F one\n"
    b"2030-01-01T00:00:02.000000000Z stderr F two\n"
    b"2030-01-01T00:00:03.000000000Z stdout P thr\n"
    b"2030-01-01T00:00:03.100000000Z stdout F ee\n"
)
NOW = seconds(b"2030-01-01T00:00:04Z")


def shown(options: LogOptions, log: bytes = LOG) -> bytes:
    async def chunks() -> AsyncIterator[bytes]:
        half = log.find(b"\n", len(log) // 2) + 1
        yield log[:half]
        if log[half:]:
            yield log[half:]

    async def collect() -> bytes:
        return b"".join([piece async for piece in printed(chunks(), options, NOW)])

    return asyncio.run(collect())


def test_plain() -> None:
    assert shown(LogOptions()) == b"one\ntwo\nthree\n"


def test_tail_counts_lines_and_not_their_parts() -> None:
    assert shown(LogOptions(tail_lines=1)) == b"three\n"
    assert shown(LogOptions(tail_lines=2)) == b"two\nthree\n"
    assert shown(LogOptions(tail_lines=0)) == b""
    assert shown(LogOptions(tail_lines=9)) == b"one\ntwo\nthree\n"


def test_timestamps_stand_once_a_line() -> None:
    assert shown(LogOptions(timestamps=True, tail_lines=1)) == b"2030-01-01T00:00:03.000000000Z three\n"


def test_since() -> None:
    assert shown(LogOptions(since_s=2)) == b"two\nthree\n"
    assert shown(LogOptions(since_time="2030-01-01T00:00:02.5Z")) == b"three\n"


def test_streams_and_limit() -> None:
    assert shown(LogOptions(stream="Stderr")) == b"two\n"
    assert shown(LogOptions(limit_bytes=5)) == b"one\nt"


def test_what_is_no_line_is_skipped() -> None:
    assert list(lines(b"garbage\n\n")) == []


@given(st.lists(st.text(alphabet="abc ", max_size=5), max_size=30), st.integers(0, 40))
def test_tail_is_the_end_of_all(texts: list[str], count: int) -> None:
    log = b"".join(f"2030-01-01T00:00:00.{n:09}Z stdout F {t}\n".encode() for n, t in enumerate(texts))
    if log:
        whole = "".join(f"{t}\n" for t in texts).encode().splitlines(keepends=True)
        assert shown(LogOptions(tail_lines=count), log) == b"".join(whole[-count:] if count else [])
