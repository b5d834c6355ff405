"""The HTTP protocol of the doors: uvicorn's, with one write to the socket an answer instead of two.

Why: an answer's head and body come as two messages and would be two system calls, a third of the cost of a small GET.
In: uvicorn's protocol class. Out: the same over a transport that joins what is written in one step of the loop.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

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

    def handle_websocket_upgrade(self) -> None:
        """kubectl offers `SPDY/3.1+portforward.k8s.io`, whose slash no WebSocket library takes for a protocol's name:
        such an offer is carried past it in another header."""
        headers = self.scope["headers"]
        if any(name == _OFFER and b"/" in value for name, value in headers):
            self.scope["headers"] = [(SLASHED if name == _OFFER else name, value) for name, value in headers]
        super().handle_websocket_upgrade()
