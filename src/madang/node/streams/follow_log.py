"""A log that is followed to its container's end: what there is (by the options), then every line as it comes.

In: the log, options, a future that is done when the container is over. Out: bytes; or the lines themselves, each once.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

from madang.node.runtimes.runtime import Exit, Runtime
from madang.node.streams.logs import Line, Printer, lines, printed
from madang.ports.streams import LogOptions


async def follow_log(
    runtime: Runtime, log: Path, options: LogOptions, now_s: float, ended: "asyncio.Future[Exit]"
) -> AsyncIterator[bytes]:
    seen = Seen()
    left = options.limit_bytes
    async for out in printed(seen.through(runtime.logs(log, follow=False)), options, now_s):
        left = None if left is None else left - len(out)
        yield out
    if left is not None and left <= 0:
        return
    printer = Printer(replace(options, limit_bytes=left), now_s)
    async with aclosing(to_the_end(runtime, log, ended, seen)) as coming:
        async for found in coming:
            if out := b"".join(printer.text(ln) for ln in found if printer.wants(ln)):
                yield out
            if printer.full:
                return


async def to_the_end(
    runtime: Runtime, log: Path, ended: "asyncio.Future[Exit]", seen: "Seen"
) -> AsyncGenerator[list[Line], None]:
    """Every line that was not seen before, until the container is over and its last word is read."""
    seen.again()
    async with aclosing(_until(runtime.logs(log, follow=True), ended)) as chunks:
        async for chunk in chunks:
            yield [ln for ln in lines(chunk) if seen.fresh(ln)]
    # What it wrote last may have come after the last notice.
    seen.again()
    async for chunk in runtime.logs(log, follow=False):
        yield [ln for ln in lines(chunk) if seen.fresh(ln)]


class Seen:
    """Tells lines that were read before from new ones. They stand in the order of their times, and what was written
    at once has one time: so it is the time of the last line that counts, and how many lines of that time there were."""

    def __init__(self) -> None:
        self._time = b""
        self._count = 0
        self._met = 0  # in this reading

    async def through(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            for line in lines(chunk):
                self.fresh(line)
            yield chunk

    def again(self) -> None:
        """The log is read from its beginning once more."""
        self._met = 0

    def fresh(self, line: Line) -> bool:
        if line.time != self._time:
            if line.time < self._time:
                return False
            self._time, self._count, self._met = line.time, 1, 1
            return True
        self._met += 1
        if self._met <= self._count:
            return False
        self._count = self._met
        return True


async def _until(chunks: AsyncIterator[bytes], ended: "asyncio.Future[Exit]") -> AsyncGenerator[bytes, None]:
    """Chunks until the future is done."""
    while True:
        following: asyncio.Future[bytes] = asyncio.ensure_future(anext(chunks))
        both: list[asyncio.Future[Any]] = [following, ended]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not following.done():
                return
            yield following.result()
        except StopAsyncIteration:
            return
        finally:
            if not following.done():
                following.cancel()
                await asyncio.wait({following})
