"""Sessions that are not programs: attaching to a container's output and input, a connection forwarded to a port."""

import asyncio
import os
from pathlib import Path
from typing import Any

from madang.node.launch import Folders
from madang.node.logs import Line, lines, seconds
from madang.node.runtimes.runtime import Exit, Running, Runtime


class LogSession:
    """What a container prints from `since_s` on, line by line (its output goes to its log alone, so that no reader
    can hold it up); what is written goes to its input."""

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
        self._chunks = runtime.logs(folders.log(name, number), follow=True)
        self._ended: asyncio.Future[Exit] = asyncio.ensure_future(runtime.wait(running, folders.attempt(name, number)))
        self._pending: list[Line] = []
        self._next: asyncio.Future[bytes] | None = None
        self._stdin = stdin
        self._input: int | None = None
        self._since_s = since_s

    async def read(self) -> tuple[int, bytes] | None:
        while not self._pending:
            if self._next is None:
                self._next = asyncio.ensure_future(anext(self._chunks))
            both: list[asyncio.Future[Any]] = [self._next, self._ended]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not self._next.done():
                return None
            chunk, self._next = self._next.result(), None
            self._pending += [ln for ln in lines(chunk) if seconds(ln.time) >= self._since_s]
        line = self._pending.pop(0)
        return (2 if line.stream == b"stderr" else 1), line.text + (b"\n" if line.whole else b"")

    async def write(self, data: bytes) -> None:
        if self._stdin is None or not self._stdin.exists():
            return
        if self._input is None:
            self._input = os.open(self._stdin, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._input, rest) :]
            except BlockingIOError:
                await asyncio.sleep(0.01)

    async def close_stdin(self) -> None:
        if self._input is not None:
            os.close(self._input)
            self._input = None

    async def resize(self, columns: int, rows: int) -> None:
        """A container's terminal keeps its size."""

    async def wait(self) -> int:
        return (await asyncio.shield(self._ended)).code

    async def close(self) -> None:
        await self.close_stdin()
        for future in (self._next, self._ended):
            if future is not None and not future.done():
                future.cancel()
                await asyncio.wait({future})


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
        self._writer.write(data)
        await self._writer.drain()

    async def close(self) -> None:
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return
