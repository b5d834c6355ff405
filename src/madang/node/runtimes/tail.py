"""Where the last lines of a log begin, found from its end, so that a long log is not read for a few of them.

In: a descriptor, how many lines (of which stream) are still wanted. Out: an offset, or that they begin in an older
file. Lines are CRI entries (TIME STREAM TAG TEXT); parts of one line (tag P) count as one with the part that ends it.
"""

import asyncio
import os

BLOCK = 64 * 1024


class Wanted:
    """Lines are shown from the last one on. `stream` empty: of both."""

    def __init__(self, count: int, stream: str = "") -> None:
        self._left = max(count, 0)
        self._stream = stream.encode()
        self._met = False

    def before(self, line: bytes) -> bool:
        """Whether what is wanted begins after this line."""
        parts = line.split(b" ", 3)
        if len(parts) < 3 or (self._stream and parts[1] != self._stream):
            return False
        if parts[2][:1] != b"F" and self._met:
            return False
        self._met = True
        if not self._left:
            return True
        self._left -= 1
        return False


async def begins(fd: int, wanted: Wanted) -> int | None:
    """The offset in this file; None: before it. What follows the last newline is not counted: it is no line yet."""
    at, rest = os.fstat(fd).st_size, b""
    while at > 0:
        size = min(BLOCK, at)
        at -= size
        data = os.pread(fd, size, at) + rest
        head, *lines = data.split(b"\n")
        if at == 0:
            lines.insert(0, head)
        end = at + len(data) - len(lines[-1] if lines else b"")
        for line in reversed(lines[:-1]):
            if wanted.before(line):
                return end
            end -= len(line) + 1
        rest = head + (b"\n" if lines else b"")
        await asyncio.sleep(0)
    return None
