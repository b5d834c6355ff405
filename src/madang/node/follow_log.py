"""A log that is followed to its container's end: what there is (by the options), then every line as it comes.

In: the log, options, a future that is done when the container is over. Out: bytes.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from madang.node.logs import Line, Printer, lines, printed
from madang.node.runtimes.runtime import Exit, Runtime
from madang.ports.streams import LogOptions


async def follow_log(
    runtime: Runtime, log: Path, options: LogOptions, now_s: float, ended: "asyncio.Future[Exit]"
) -> AsyncIterator[bytes]:
    seen = _Seen()
    left = options.limit_bytes
    async for out in printed(seen.through(runtime.logs(log, follow=False)), options, now_s):
        left = None if left is None else left - len(out)
        yield out
    printer = Printer(replace(options, limit_bytes=left), now_s)
    seen.again()
    async for chunk in _until(runtime.logs(log, follow=True), ended):
        found = [ln for ln in lines(chunk) if seen.fresh(ln) and printer.wants(ln)]
        if found:
            yield b"".join(printer.text(ln) for ln in found)
        if printer.full:
            return
    # What it wrote last may have come after the last notice.
    seen.again()
    async for chunk in runtime.logs(log, follow=False):
        found = [ln for ln in lines(chunk) if seen.fresh(ln) and printer.wants(ln)]
        if found and not printer.full:
            yield b"".join(printer.text(ln) for ln in found)


class _Seen:
    """Tells lines that were read before from new ones, by their time: lines stand in the order of it. What a program
    writes at once has one time, so lines of the newest time are told by their number."""

    def __init__(self) -> None:
        self._last = b""
        self._count = 0  # lines of that time that are known
        self._passed = 0  # of them, how many this reading came by

    def again(self) -> None:
        """The log is read from its beginning once more."""
        self._passed = 0

    async def through(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            for line in lines(chunk):
                self.fresh(line)
            yield chunk

    def fresh(self, line: Line) -> bool:
        if line.time < self._last:
            return False
        if line.time > self._last:
            self._last, self._count, self._passed = line.time, 1, 1
            return True
        self._passed += 1
        if self._passed <= self._count:
            return False
        self._count = self._passed
        return True


async def _until(chunks: AsyncIterator[bytes], ended: "asyncio.Future[Exit]") -> AsyncIterator[bytes]:
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
