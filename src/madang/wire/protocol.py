"""The HTTP protocol of the doors: uvicorn's, with one write to the socket an answer instead of two, and with upgrades
to SPDY.

Why: an answer's head and body come as two messages and would be two system calls, a third of the cost of a small GET.
In: uvicorn's protocol class. Out: the same over a transport that joins what is written in one step of the loop.
"""

import asyncio
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from madang.wire.raw import Raw

_OFFER = b"sec-websocket-protocol"
SLASHED = b"x-madang-websocket-protocol"


class Joined:
    """A transport in whose place this stands. Whatever is not about writing goes straight to it."""

    __slots__ = ("_loop", "_parts", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def _flush(self) -> None:
        if self._parts:
            parts, self._parts = self._parts, []
            self._transport.write(parts[0] if len(parts) == 1 else b"".join(parts))

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Protocol(HttpToolsProtocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(Joined(transport, asyncio.get_running_loop()))  # type: ignore[arg-type]

    def _spdy(self) -> bool:
        return self._get_upgrade() == b"spdy/3.1"

    def _should_upgrade(self) -> bool:
        return self._spdy() or super()._should_upgrade()

    def handle_websocket_upgrade(self) -> None:
        if not self._spdy():
            self._websocket()
            return
        self.connections.discard(self)
        url = httptools.parse_url(self.url)
        path = {"path": unquote(url.path.decode("ascii")), "query_string": url.query or b""}
        Raw(self.app, {**self.scope, **path}, self.transport, self.server_state).start()

    def _websocket(self) -> None:
        """kubectl offers `SPDY/3.1+portforward.k8s.io`, whose slash no WebSocket library takes for a protocol's name:
        such an offer is carried past it in another header."""
        headers = self.scope["headers"]
        if any(name == _OFFER and b"/" in value for name, value in headers):
            self.scope["headers"] = [(SLASHED if name == _OFFER else name, value) for name, value in headers]
        super().handle_websocket_upgrade()
