"""Make-believe streams of pods: a shell that echoes, a server that shouts back, a log of three lines."""

import asyncio
from collections.abc import AsyncIterator

from madang.ports.errors import BadRequest
from madang.ports.streams import ExecOptions, LogOptions


class Echo:
    """Writes its command to stdout, `oops` to stderr, then whatever comes in; ends with stdin, code 3 if told to."""

    def __init__(self, options: ExecOptions) -> None:
        self._queue: asyncio.Queue[tuple[int, bytes] | None] = asyncio.Queue()
        self._queue.put_nowait((1, " ".join(options.command).encode() + b"\n"))
        self._queue.put_nowait((2, b"oops\n"))
        self.code = 3 if "fail" in options.command else 0
        self.size: tuple[int, int] | None = None
        self.ended = asyncio.Event()
        if not options.stdin:
            self._queue.put_nowait(None)

    async def read(self) -> tuple[int, bytes] | None:
        return await self._queue.get()

    async def write(self, data: bytes) -> None:
        self._queue.put_nowait((1, data))

    async def close_stdin(self) -> None:
        self._queue.put_nowait(None)

    async def resize(self, columns: int, rows: int) -> None:
        self.size = (columns, rows)

    async def wait(self) -> int:
        return self.code

    async def close(self) -> None:
        self.ended.set()


class Shout:
    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        self.ended = asyncio.Event()

    async def read(self) -> bytes:
        return await self._queue.get()

    async def write(self, data: bytes) -> None:
        self._queue.put_nowait(data.upper())
        if data.endswith(b"\n\n"):
            self._queue.put_nowait(b"")

    async def close_write(self) -> None:
        self._queue.put_nowait(b"BYE\n")
        self._queue.put_nowait(b"")

    async def close(self) -> None:
        self.ended.set()


class FakeStreams:
    def __init__(self) -> None:
        self.opened: list[Echo | Shout] = []
        self.asked: list[LogOptions] = []
        self.left = asyncio.Event()  # who followed a log

    async def logs(self, namespace: str, pod: str, options: LogOptions) -> AsyncIterator[bytes]:
        self.asked.append(options)
        if options.previous:
            raise BadRequest(f'previous terminated container "c" in pod "{pod}" not found')
        while options.follow and options.timestamps:  # one who says more than anybody reads
            yield bytes(1 << 20)
        if options.follow:
            yield b""  # as a node says that it is there
            try:
                await asyncio.Event().wait()
            finally:
                self.left.set()
        for i in range(3):
            yield f"line {i}\n".encode()

    async def exec(self, namespace: str, pod: str, options: ExecOptions) -> Echo:
        process = Echo(options)
        self.opened.append(process)
        return process

    attach = exec

    async def forward(self, namespace: str, pod: str, port: int) -> Shout:
        connection = Shout()
        self.opened.append(connection)
        return connection
