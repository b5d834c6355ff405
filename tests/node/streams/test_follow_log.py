"""A followed log: every line once, whatever was written at one time, and the last word too."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from madang.node.runtimes import logs
from madang.node.runtimes.monitor.logfile import Lines, LogFile
from madang.node.runtimes.runtime import Exit, Runtime
from madang.node.streams.follow_log import Seen, follow_log
from madang.node.streams.logs import Line
from madang.ports.streams import LogOptions

SECOND = 1_000_000_000


class Logs:
    def logs(self, log: Path, *, follow: bool) -> AsyncIterator[bytes]:
        return logs.read(log, follow=follow)


def followed(tmp_path: Path, options: LogOptions, later: list[bytes]) -> bytes:
    log, out = LogFile(str(tmp_path / "0.log"), 10**6, 5), Lines("stdout")
    log.append(out.feed(b"a\nb\nc\n", SECOND))

    async def story() -> bytes:
        ended: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        got = bytearray()

        async def follow() -> None:
            async for piece in follow_log(Logs(), tmp_path / "0.log", options, 2.0, ended):  # type: ignore[arg-type]
                got.extend(piece)

        following = asyncio.create_task(follow())
        for number, text in enumerate(later):
            await asyncio.sleep(0.02)
            log.append(out.feed(text, (2 + number) * SECOND))
        ended.set_result(None)
        await following
        return bytes(got)

    found = asyncio.run(story())
    log.close()
    return found


def test_lines_of_one_time_come_once(tmp_path: Path) -> None:
    assert followed(tmp_path, LogOptions(follow=True), [b"d\ne\n", b"last\n"]) == b"a\nb\nc\nd\ne\nlast\n"


def test_a_limit_that_is_reached_ends_it(tmp_path: Path) -> None:
    assert followed(tmp_path, LogOptions(follow=True, limit_bytes=3), [b"d\n"]) == b"a\nb"


@given(st.lists(st.integers(0, 3), max_size=20), st.lists(st.integers(0, 20), max_size=5))
def test_any_number_of_readings_shows_each_line_once(steps: list[int], stops: list[int]) -> None:
    """Times grow by any steps, also none; each reading goes from the beginning to some place, the last to the end."""
    times, now = [], 1
    for step in steps:
        now += step
        times.append(now)
    written = [Line(b"%09d" % time, b"stdout", True, b"same text") for time in times]
    seen, shown = Seen(), 0
    for stop in (*stops, len(written)):
        seen.again()
        shown += sum(seen.fresh(line) for line in written[:stop])
    assert shown == len(written)


AT = "2026-01-01T00:00:0"
PAST = f"{AT}1.5Z stdout F one\n{AT}1.5Z stdout F two\n{AT}1.5Z stdout F two\n".encode()
NEW = f"{AT}1.5Z stdout F three\n{AT}2.5Z stdout F four\n{AT}2.5Z stdout F five\n".encode()


class Log:
    """Reads as a runtime's log does: followed, it begins anew, and goes on with what is written meanwhile."""

    def __init__(self, ended: "asyncio.Future[Exit]") -> None:
        self.ended, self.content = ended, PAST

    async def logs(self, log: Path, *, follow: bool) -> AsyncIterator[bytes]:
        yield self.content
        if follow:
            self.content += NEW
            yield NEW
            self.content += f"{AT}2.5Z stdout F six\n".encode()
            self.ended.set_result(cast(Exit, None))
            await asyncio.Event().wait()


def test_each_line_once() -> None:
    async def read(options: LogOptions) -> list[str]:
        ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        runtime: Any = Log(ended)
        pieces = [p async for p in follow_log(cast(Runtime, runtime), Path("x"), options, 0.0, ended)]
        return b"".join(pieces).decode().split()

    assert asyncio.run(read(LogOptions())) == ["one", "two", "two", "three", "four", "five", "six"]
    assert asyncio.run(read(LogOptions(tail_lines=1))) == ["two", "three", "four", "five", "six"]
