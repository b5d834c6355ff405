"""A connection that was upgraded to SPDY/3.1, shown to the application as if it were a WebSocket.

In: the connection's transport after an upgrade request. Out: an ASGI scope of type `websocket` whose binary messages
are the bytes of the connection, cut anywhere; `spdy` in its extensions tells. Reading stops while the application
is slow to take, and writing waits while the client is.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl

from madang.wire.answer import Receive, Scope, Send

log = logging.getLogger("madang.wire")
EXTENSION = "spdy"
WAITING = 64  # pieces that may wait to be taken
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Raw(asyncio.Protocol):
    def __init__(self, app: App, scope: Scope, transport: Any, state: Any) -> None:
        """`state`: the server's, which ends what is open when the doors close."""
        self._app, self.transport, self._state = app, transport, state
        self._scope = {
            **scope,
            "type": "websocket",
            "subprotocols": _offered(scope["headers"]),
            "extensions": {EXTENSION: {}, "websocket.http.response": {}},
        }
        self._flow = FlowControl(transport)
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._connected = False

    def start(self) -> None:
        self.transport.set_protocol(self)
        self._state.connections.add(self)
        task = asyncio.get_running_loop().create_task(self._run())
        self._state.tasks.add(task)
        task.add_done_callback(self._state.tasks.discard)

    def shutdown(self) -> None:
        self.transport.close()

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._send)
        except Exception:
            log.exception("%s failed", self._scope["path"])
        finally:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        self._pieces.put_nowait(data)
        if self._pieces.qsize() >= WAITING:
            self._flow.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._state.connections.discard(self)
        self._pieces.put_nowait(None)
        self._flow.resume_writing()

    def pause_writing(self) -> None:
        self._flow.pause_writing()

    def resume_writing(self) -> None:
        self._flow.resume_writing()

    async def _receive(self) -> Scope:
        if not self._connected:
            self._connected = True
            return {"type": "websocket.connect"}
        piece = await self._pieces.get()
        if self._pieces.qsize() < WAITING:
            self._flow.resume_reading()
        if piece is None:
            self._pieces.put_nowait(None)  # it stays gone
            return {"type": "websocket.disconnect"}
        return {"type": "websocket.receive", "bytes": piece}

    async def _send(self, message: Scope) -> None:
        match message["type"]:
            case "websocket.accept":
                chosen = str(message.get("subprotocol") or "").encode()
                self.transport.write(
                    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
                    b"X-Stream-Protocol-Version: " + chosen + b"\r\n\r\n"
                )
            case "websocket.send":
                if self._flow.write_paused:
                    await self._flow.drain()
                self.transport.write(message["bytes"])
            case "websocket.http.response.start":
                lines = [b"HTTP/1.1 %d Refused\r\nconnection: close\r\n" % message["status"]]
                lines += [name + b": " + value + b"\r\n" for name, value in message["headers"]]
                self.transport.write(b"".join(lines) + b"\r\n")
            case "websocket.http.response.body":
                self.transport.write(message["body"])
                self.transport.close()
            case "websocket.close":
                self.transport.close()


def _offered(headers: list[tuple[bytes, bytes]]) -> list[str]:
    found = [value.decode("latin-1") for name, value in headers if name == b"x-stream-protocol-version"]
    return [part.strip() for value in found for part in value.split(",") if part.strip()]
