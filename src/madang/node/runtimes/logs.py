"""A container's log read back: its rotated files from the oldest on, then what comes, as raw CRI entries.

In: the log's path. Out: chunks of whole lines. Following waits for notices, so that an idle log costs nothing.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from madang.node.runtimes.notices import Notices
from madang.node.runtimes.tail import Wanted, begins

CHUNK = 64 * 1024


def files(log: Path) -> list[Path]:
    """`log.4`, `log.3`, ..., `log`: those that exist, oldest first."""
    older = [p for p in log.parent.glob(f"{log.name}.*") if p.suffix[1:].isdigit()] if log.parent.is_dir() else []
    return [*sorted(older, key=lambda p: -int(p.suffix[1:])), *([log] if log.exists() else [])]


async def read(
    log: Path,
    *,
    until: "asyncio.Future[Any] | None" = None,
    tail: int | None = None,
    stream: str = "",
    notices: Notices | None = None,
) -> AsyncGenerator[bytes, None]:
    """With `until`, follows: until that is done and all that was written before is read. `tail`: only so many lines
    (of `stream`, if it is named) of what is there already."""
    with ExitStack() as stack:
        # Watched before the first look, so that nothing is written unseen between the two.
        watch = None if until is None else stack.enter_context((notices or Notices()).watch(log.parent))
        position = Position(log)
        if tail is not None:
            await position.last(Wanted(tail, stream))
        while True:
            over = until is None or until.done()
            while chunk := position.next():
                yield chunk
                await asyncio.sleep(0)
            if over or watch is None or until is None:
                return
            await watch.wait(until)


class Position:
    """How far one reader has come. A file that was rotated away under it is still open here and read to its end;
    then the next is the one that has the following place in the row."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._waiting: list[int] = []
        self._rest = b""
        self._open(files(log))

    async def last(self, wanted: Wanted) -> None:
        """Skips to the last lines."""
        for place in range(len(self._waiting) - 1, -1, -1):
            start = await begins(self._waiting[place], wanted)
            if start is not None:
                os.lseek(self._waiting[place], start, os.SEEK_SET)
                for fd in self._waiting[:place]:
                    os.close(fd)
                del self._waiting[:place]
                return

    def _open(self, paths: Sequence[Path]) -> int:
        """How many could be: a rotation may be under way, and is seen whole at the next look."""
        opened = 0
        for path in paths:
            with suppress(FileNotFoundError):
                self._waiting.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
                opened += 1
        return opened

    def next(self) -> bytes:
        """Whole lines; empty when there is nothing new."""
        while True:
            if not self._waiting and not self._appeared():
                return b""
            data = os.read(self._waiting[0], CHUNK)
            if data:
                lines, newline, rest = (self._rest + data).rpartition(b"\n")
                self._rest = rest
                if newline:
                    return lines + newline
            elif len(self._waiting) > 1 or self._appeared():
                os.close(self._waiting.pop(0))
            else:
                return b""

    def _appeared(self) -> bool:
        """Whether newer files than the one being read have come."""
        known = {os.fstat(fd).st_ino for fd in self._waiting}
        found = [(path, inode) for path in files(self._log) if (inode := _inode(path)) is not None]
        newest = max((i for i, (_, inode) in enumerate(found) if inode in known), default=-1)
        fresh = found[newest + 1 :] if known else found[-1:]
        return self._open([path for path, _ in fresh]) > 0

    def __del__(self) -> None:
        for fd in self._waiting:
            os.close(fd)


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None
