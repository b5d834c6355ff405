"""Exec and attach over SPDY streams, as older clients and many tools do it: shown as the channels of a WebSocket.

In: frames; the client opens one stream for each of error, stdin, stdout, stderr, resize. Out: what `wire.channels`
speaks: messages whose first byte is the channel. The closing Status goes to the error stream (v4.channel.k8s.io).
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence

from madang.wire.answer import Receive, Scope, Send
from madang.wire.channels import CLOSE, ERROR, RESIZE, STDERR, STDIN, STDOUT, choose
from madang.wire.request import Request
from madang.wire.spdy import PING, SYN_STREAM, Broken, Decoder, Encoder, Frame

PROTOCOLS = ("v4.channel.k8s.io",)
AS_CHANNELS = ("v5.channel.k8s.io",)  # the dialect that can say that stdin has ended
OPENING_S = 30.0
_CHANNELS = {"error": ERROR, "stdin": STDIN, "stdout": STDOUT, "stderr": STDERR, "resize": RESIZE}


class Session:
    def __init__(self, receive: Receive, send: Send) -> None:
        self._given, self._out = receive, send
        self._decoder, self._encoder = Decoder(), Encoder()
        self._streams: dict[int, int] = {}  # the channel of each channel's stream
        self._ready: deque[Scope] = deque([{"type": "websocket.connect"}])  # what `channels` waits for first
        self._gone = False

    async def open(self, request: Request, offered: Sequence[str]) -> bool:
        """Answers the upgrade and waits for the streams that the request speaks of; whether they came."""
        protocol = choose(offered, PROTOCOLS)
        await self._given()  # websocket.connect
        await self._out({"type": "websocket.accept", "subprotocol": protocol})
        asked = ["stdin", "stdout", *(() if request.flag("tty") else ("stderr",))]
        wanted = {ERROR, *(_CHANNELS[name] for name in asked if request.flag(name))}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(OPENING_S):
                while not self._gone and not wanted <= set(self._streams.values()):
                    await self._take()
        return wanted <= set(self._streams.values())

    async def receive(self) -> Scope:
        while not self._ready:
            await self._take()
        return self._ready.popleft()

    async def _take(self) -> None:
        message = await self._given()
        with contextlib.suppress(Broken):
            if message["type"] != "websocket.disconnect":
                for frame in self._decoder.feed(message.get("bytes") or b""):
                    await self._frame(frame)
                return
        self._gone = True
        self._ready.append({"type": "websocket.disconnect"})

    async def _frame(self, frame: Frame) -> None:
        if frame.kind == SYN_STREAM:
            channel = _CHANNELS.get(frame.headers.get("streamtype", ""))
            if channel is None:
                await self._say(self._encoder.reset(frame.stream, 3))
                return
            self._streams[frame.stream] = channel
            await self._say(self._encoder.reply(frame.stream))
        elif frame.kind == PING:
            await self._say(self._encoder.ping(frame.code))
        elif frame.kind == 0 and frame.stream in self._streams:
            channel = self._streams[frame.stream]
            if frame.data:
                self._ready.append({"type": "websocket.receive", "bytes": bytes([channel]) + frame.data})
            if frame.last and channel == STDIN:
                self._ready.append({"type": "websocket.receive", "bytes": bytes([CLOSE, STDIN])})

    async def send(self, message: Scope) -> None:
        if message["type"] == "websocket.send":
            channel, data = message["bytes"][0], message["bytes"][1:]
            for stream, found in self._streams.items():
                if found == channel:
                    await self._say(self._encoder.data(stream, data))
        elif message["type"] == "websocket.close":
            await self._say(b"".join(self._encoder.data(stream, b"", last=True) for stream in self._streams))
            await self._out(message)

    async def _say(self, data: bytes) -> None:
        await self._out({"type": "websocket.send", "bytes": data})
