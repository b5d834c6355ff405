"""Sessions that are not programs: attaching to a container's output and input, a connection forwarded to a port."""

import asyncio
import os
from contextlib import suppress
from pathlib import Path

from madang.node.launch.folders import Folders
from madang.node.runtimes import terminal
from madang.node.runtimes.runtime import Exit, Running, Runtime
from madang.node.runtimes.session import until_any
from madang.node.streams.logs import Line, lines, seconds


class LogSession:
    """What a container prints from `since_s` on, line by line (its output goes to its log alone, so that no reader
    can hold it up); what is written goes to its input, which is open from the start: who attaches and says nothing
    ends it, too (stdinOnce)."""

    def __init__(
        self,
        runtime: Runtime,
        running: Running,
        folders: Folders,
        name: str,
        number: int,
        *,
        stdin: Path | None,
        since_s: float,
    ) -> None:
        self._running = running
        self._ended: asyncio.Future[Exit] = asyncio.ensure_future(runtime.wait(running, folders.attempt(name, number)))
        # Who only looks wants what comes: what is there need not be read.
        self._chunks = runtime.logs(folders.log(name, number), until=self._ended, tail=0 if stdin is None else None)
        self._pending: list[Line] = []
        self._next: asyncio.Future[bytes] | None = None
        self._input = None if stdin is None else _open(stdin)
        self._since_s = since_s

    async def read(self) -> tuple[int, bytes] | None:
        while not self._pending:
            if self._next is None:
                self._next = asyncio.ensure_future(anext(self._chunks))
            await asyncio.wait({self._next})
            coming, self._next = self._next, None
            try:
                found = coming.result()
            except (StopAsyncIteration, asyncio.CancelledError):  # its end; or ours, by `close`
                return None
            self._pending += [ln for ln in lines(found) if seconds(ln.time) >= self._since_s]
        line = self._pending.pop(0)
        return (2 if line.stream == b"stderr" else 1), line.text + (b"\n" if line.whole else b"")

    async def write(self, data: bytes) -> None:
        """Lost where the container has no input, or has closed it."""
        loop, rest = asyncio.get_running_loop(), memoryview(data)
        while rest and self._input is not None:
            try:
                rest = rest[os.write(self._input, rest) :]
            except BlockingIOError:
                await until_any([self._input], loop.add_writer, loop.remove_writer)
            except OSError:
                await self.close_stdin()

    async def close_stdin(self) -> None:
        if self._input is not None:
            os.close(self._input)
            self._input = None

    async def resize(self, columns: int, rows: int) -> None:
        terminal.resize(self._running, columns, rows)

    async def wait(self) -> int:
        return (await asyncio.shield(self._ended)).code

    async def close(self) -> None:
        await self.close_stdin()
        for future in (self._next, self._ended):
            if future is not None and not future.done():
                future.cancel()
                await asyncio.wait({future})
        await self._chunks.aclose()


def _open(stdin: Path) -> int | None:
    try:
        return os.open(stdin, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # it has none, or nobody reads it any more
        return None


class Tunnel:
    """One TCP connection to a pod."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def read(self) -> bytes:
        try:
            return await self._reader.read(64 * 1024)
        except ConnectionError:
            return b""

    async def write(self, data: bytes) -> None:
        """Lost where the pod has closed the connection: reading tells its end."""
        with suppress(ConnectionError):
            self._writer.write(data)
            await self._writer.drain()

    async def close_write(self) -> None:
        with suppress(OSError):
            self._writer.write_eof()

    async def close(self) -> None:
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return
