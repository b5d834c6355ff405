"""`kubectl logs` over CRI lines: options one by one."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from madang.node.runtimes.logs import read
from madang.node.runtimes.monitor.logfile import Lines, LogFile
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


def test_timestamps_stand_once_a_line() -> None:
    assert shown(LogOptions(timestamps=True, since_s=1.5)) == b"2030-01-01T00:00:03.000000000Z three\n"


def test_since() -> None:
    assert shown(LogOptions(since_s=2)) == b"two\nthree\n"
    assert shown(LogOptions(since_time="2030-01-01T00:00:02.5Z")) == b"three\n"


def test_streams_and_limit() -> None:
    assert shown(LogOptions(stream="Stderr")) == b"two\n"
    assert shown(LogOptions(limit_bytes=5)) == b"one\nt"


def test_what_is_no_line_is_skipped() -> None:
    assert list(lines(b"garbage\n\n")) == []


def test_a_followed_log_is_shown_to_its_last_word(tmp_path: Path) -> None:
    """What is there (or its tail), what comes, and what was written just before its program ended."""
    second = 1_000_000_000

    async def story(options: LogOptions) -> bytes:
        path = tmp_path / f"{options.tail_lines}-{options.limit_bytes}.log"
        log, out = LogFile(str(path), 10**6, 5), Lines("stdout")
        log.append(out.feed(b"a\nb\nc\n", second))
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        got = bytearray()

        async def follow() -> None:
            async for piece in printed(read(path, until=ended, tail=options.tail_lines), options, NOW):
                got.extend(piece)
                if piece == b"d\n":
                    log.append(out.feed(b"e\n", second))  # of one time with others
                    ended.set_result(None)

        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            group.create_task(follow())
            await asyncio.sleep(0.02)
            log.append(out.feed(b"d\n", second))
        log.close()
        return bytes(got)

    assert asyncio.run(story(LogOptions())) == b"a\nb\nc\nd\ne\n"
    assert asyncio.run(story(LogOptions(tail_lines=1))) == b"c\nd\ne\n"
    assert asyncio.run(story(LogOptions(tail_lines=0))) == b"d\ne\n"
    assert asyncio.run(story(LogOptions(limit_bytes=3))) == b"a\nb"
