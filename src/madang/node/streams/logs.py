"""A container's log as `kubectl logs` shows it: from CRI lines to text, with the API's options.

In: chunks of CRI lines (TIME STREAM TAG TEXT), options. Out: bytes. Pure but for the reading, which the caller does.
"""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from madang.ports.streams import LogOptions


class Line(NamedTuple):
    time: bytes
    stream: bytes
    whole: bool  # the last part of a line
    text: bytes


def lines(chunk: bytes) -> Iterator[Line]:
    """The CRI lines of a chunk; what is none is skipped."""
    for raw in chunk.split(b"\n"):
        parts = raw.split(b" ", 3)
        if len(parts) >= 3:
            yield Line(parts[0], parts[1], parts[2].startswith(b"F"), parts[3] if len(parts) == 4 else b"")


class Printer:
    """Applies since, stream, timestamps and limitBytes; a line that was cut in parts gets one time."""

    def __init__(self, options: LogOptions, now_s: float) -> None:
        self._options = options
        self._since = since(options, now_s)
        self._left = options.limit_bytes
        self._within = False  # a line that has begun and not ended

    @property
    def full(self) -> bool:
        return self._left is not None and self._left <= 0

    def wants(self, line: Line) -> bool:
        stream = self._options.stream
        if stream not in ("", "All") and line.stream.decode() != stream.lower():
            return False
        return self._since is None or seconds(line.time) >= self._since

    def text(self, line: Line) -> bytes:
        head = line.time + b" " if self._options.timestamps and not self._within else b""
        out = head + line.text + (b"\n" if line.whole else b"")
        self._within = not line.whole
        if self._left is not None:
            out = out[: max(self._left, 0)]
            self._left -= len(out)
        return out


def since(options: LogOptions, now_s: float) -> float | None:
    if options.since_s is not None:
        return now_s - options.since_s
    return seconds(options.since_time.encode()) if options.since_time else None


def seconds(time: bytes) -> float:
    """An RFC 3339 time as epoch seconds; nanoseconds are cut."""
    text = time.decode("ascii", "replace").replace("Z", "+00:00")
    head, dot, tail = text.partition(".")
    if dot:
        digits = len(tail) - len(tail.lstrip("0123456789"))
        text = f"{head}.{tail[: min(digits, 6)]}{tail[digits:]}"
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return 0.0
    return found.replace(tzinfo=found.tzinfo or UTC).timestamp()


async def printed(chunks: AsyncIterator[bytes], options: LogOptions, now_s: float) -> AsyncIterator[bytes]:
    """The log as it is asked for; it begins where whoever reads it has begun (`tail_lines` is theirs)."""
    printer = Printer(options, now_s)
    async for chunk in chunks:
        if out := b"".join(_until_full(printer, lines(chunk))):
            yield out
        if printer.full:
            return


def _until_full(printer: Printer, found: Iterator[Line]) -> Iterator[bytes]:
    for line in found:
        if printer.full:
            return
        if printer.wants(line):
            yield printer.text(line)
