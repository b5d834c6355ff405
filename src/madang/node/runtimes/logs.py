"""A container's log read back: its rotated files from the oldest on, then what comes, as raw CRI entries.

In: the log's path. Out: chunks of whole lines. Following waits on inotify, so that an idle log costs nothing.
"""

import asyncio
import ctypes
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path

CHUNK = 64 * 1024
IN_MODIFY, IN_MOVED_TO, IN_CREATE = 0x2, 0x80, 0x100
IN_NONBLOCK, IN_CLOEXEC = 0o4000, 0o2000000
_libc = ctypes.CDLL(None, use_errno=True)


def files(log: Path) -> list[Path]:
    """`log.4`, `log.3`, ..., `log`: those that exist, oldest first."""
    older = [p for p in log.parent.glob(f"{log.name}.*") if p.suffix[1:].isdigit()] if log.parent.is_dir() else []
    return [*sorted(older, key=lambda p: -int(p.suffix[1:])), *([log] if log.exists() else [])]


async def read(log: Path, *, follow: bool) -> AsyncIterator[bytes]:
    """Ends at the end, or never when following: the caller stops when the container is over."""
    notices = Notices(log.parent) if follow else None
    try:
        position = Position(log)
        while True:
            while chunk := position.next():
                yield chunk
                await asyncio.sleep(0)
            if notices is None:
                return
            await notices.wait()
    finally:
        if notices is not None:
            notices.close()


class Position:
    """How far one reader has come. A file that was rotated away under it is still open here and read to its end;
    then the next is the one that has the following place in the row."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._waiting: list[int] = []
        self._rest = b""
        self._open(files(log))

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


class Notices:
    """Something happened in a folder."""

    def __init__(self, folder: Path) -> None:
        self._fd = _libc.inotify_init1(IN_NONBLOCK | IN_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1: the limit fs.inotify.max_user_instances is reached")
        if _libc.inotify_add_watch(self._fd, os.fsencode(folder), IN_MODIFY | IN_MOVED_TO | IN_CREATE) < 0:
            number = ctypes.get_errno()
            os.close(self._fd)
            raise OSError(number, os.strerror(number), str(folder))

    async def wait(self) -> None:
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_reader(self._fd, _once, ready)
        try:
            await ready
        finally:
            loop.remove_reader(self._fd)
        try:
            os.read(self._fd, 4096)
        except BlockingIOError:
            return

    def close(self) -> None:
        os.close(self._fd)


def _once(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
