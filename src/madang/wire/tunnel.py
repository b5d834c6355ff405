"""Port-forward as kubectl does it: SPDY streams in a WebSocket tunnel (SPDY/3.1+portforward.k8s.io).

In: streams in pairs of one `requestid`: `error`, then `data` with the port. Out: what the pod's port answers on the
data stream; what went wrong as text on the error stream. Every connection of the user is one such pair.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from madang.ports.errors import StatusError
from madang.ports.streams import Connection, PodStreams
from madang.wire.answer import Receive, Send
from madang.wire.channels import patiently
from madang.wire.request import Target
from madang.wire.spdy import GOAWAY, PING, RST_STREAM, SYN_STREAM, Broken, Decoder, Encoder, Frame

PROTOCOL = "SPDY/3.1+portforward.k8s.io"
OPEN_AT_ONCE = 256
WAITING_BYTES = 1 << 20  # from a client, while the pod's side is not open yet, or takes nothing


class Left(Exception):
    """The client is gone, while what it sent last was not taken."""


@dataclass(slots=True)
class Pair:
    error: int = 0
    data: int = 0
    connection: Connection | None = None
    waiting: list[bytes] = field(default_factory=list)  # what came before the connection stood
    settled: asyncio.Event = field(default_factory=asyncio.Event)  # it stands and has all that waited, or never will
    last: bool = False  # the client has said its last word
    flow: "asyncio.Task[None] | None" = None


class Tunnel:
    def __init__(
        self,
        streams: PodStreams,
        found: Target,
        send: Send,
        look: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._streams = streams
        self._found = found
        self._send = send
        self._look = look
        self._encoder = Encoder()
        self._pairs: dict[str, Pair] = {}
        self._by_stream: dict[int, Pair] = {}
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self, receive: Receive) -> None:
        """Until the client has left."""
        decoder = Decoder()
        async with asyncio.TaskGroup() as self._tasks:
            try:
                while (message := await receive())["type"] != "websocket.disconnect":
                    for frame in decoder.feed(message.get("bytes") or b""):
                        await self._take(frame)
            except Left:
                pass
            except Broken as fault:
                await self._send({"type": "websocket.close", "code": 1002, "reason": str(fault)[:100]})
            for pair in self._pairs.values():
                if pair.flow is not None:
                    pair.flow.cancel()

    async def _take(self, frame: Frame) -> None:
        if frame.kind == SYN_STREAM:
            await self._opened(frame)
        elif frame.kind == PING:
            await self._say(self._encoder.ping(frame.code))
        elif frame.kind == RST_STREAM:
            self._forget(self._by_stream.get(frame.stream))
        elif frame.kind == 0:
            await self._data(frame)
        elif frame.kind == GOAWAY:
            return

    async def _opened(self, frame: Frame) -> None:
        request = frame.headers.get("requestid", "")
        if len(self._pairs) >= OPEN_AT_ONCE and request not in self._pairs:
            await self._say(self._encoder.reset(frame.stream, 3))
            return
        pair = self._pairs.setdefault(request, Pair())
        if frame.headers.get("streamtype") != "error" and pair.flow is not None:
            await self._say(self._encoder.reset(frame.stream, 1))  # a pair has one data stream
            return
        self._by_stream[frame.stream] = pair
        await self._say(self._encoder.reply(frame.stream))
        if frame.headers.get("streamtype") == "error":
            pair.error = frame.stream
            return
        pair.data = frame.stream
        assert self._tasks is not None
        text = frame.headers.get("port", "")
        port = int(text) if text.isascii() and text.isdigit() else 0
        pair.flow = self._tasks.create_task(self._forward(pair, port, request))

    async def _data(self, frame: Frame) -> None:
        pair = self._by_stream.get(frame.stream)
        if pair is None or frame.stream != pair.data:
            return
        if pair.connection is None:
            if sum(map(len, pair.waiting)) < WAITING_BYTES:
                pair.last = pair.last or frame.last
                pair.waiting += [frame.data] if frame.data else []
                return
            if not await patiently(_settled(pair), self._probe, self._look):
                raise Left
            if pair.connection is None:
                return
        if frame.data:
            with contextlib.suppress(OSError):
                if not await patiently(pair.connection.write(frame.data), self._probe, self._look):
                    raise Left
        if frame.last:
            await pair.connection.close_write()

    async def _forward(self, pair: Pair, port: int, request: str) -> None:
        try:
            opened = await self._streams.forward(self._found.namespace or "", self._found.name, port)
            try:
                while pair.waiting:  # more may come meanwhile, and must not overtake it
                    await opened.write(pair.waiting.pop(0))
            finally:
                pair.connection = opened
                pair.settled.set()
            if pair.last:
                await opened.close_write()
            while data := await opened.read():
                await self._say(self._encoder.data(pair.data, data))
        except StatusError as refusal:
            await self._say(self._encoder.data(pair.error, refusal.message.encode()))
        except OSError as fault:
            await self._say(self._encoder.data(pair.error, f"error forwarding port {port}: {fault}".encode()))
        finally:
            pair.settled.set()
            if pair.connection is not None:
                await pair.connection.close()
            self._pairs.pop(request, None)
            self._by_stream.pop(pair.data, None)
            self._by_stream.pop(pair.error, None)
        await self._say(self._encoder.data(pair.data, b"", last=True) + self._encoder.data(pair.error, b"", last=True))

    async def _probe(self) -> None:
        await self._say(self._encoder.ping(2))

    def _forget(self, pair: Pair | None) -> None:
        if pair is not None and pair.flow is not None:
            pair.flow.cancel()

    async def _say(self, data: bytes) -> None:
        await self._send({"type": "websocket.send", "bytes": data})


async def _settled(pair: Pair) -> None:
    await pair.settled.wait()
