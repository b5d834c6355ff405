"""A lean HTTP/1.1 client for the API: over a unix socket, or over TLS with the courtyard's CA.

In: requests. Out: whole answers, or answers read piece by piece (watches, logs). Connections are kept and used
again; a request on a kept connection that turns out closed is sent again on a fresh one. Leaner than a general
client: importing one costs a command line more than the whole request.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httptools

from madang.ports.errors import Unavailable

KEPT = 32  # idle connections
READ_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Place:
    """Where the API is: `socket`, or `host`, `port` and `ca_pem`, with a token."""

    socket: Path | None = None
    host: str = "127.0.0.1"
    port: int = 0
    ca_pem: str = ""
    token: str = ""


@dataclass(slots=True)
class Answer:
    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]


class _Reader:
    """Collects what httptools finds in one answer."""

    def __init__(self) -> None:
        self.answer = Answer()
        self.parts: list[bytes] = []
        self.begun = self.done = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.answer.headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        self.begun = True

    def on_body(self, body: bytes) -> None:
        self.parts.append(body)

    def on_message_complete(self) -> None:
        self.done = True


class _Closed(Exception):
    """The other side has closed before it answered."""


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.fresh = True

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def pieces(self, found: _Reader) -> AsyncIterator[bytes]:
        """First, once, an empty piece: the headers are there; then the body as it comes."""
        parser = httptools.HttpResponseParser(found)
        told = False
        while not found.done:
            data = await self._reader.read(READ_BYTES)
            if not data:
                if not told:
                    raise _Closed
                return
            parser.feed_data(data)
            if found.begun and not told:
                told = True
                found.answer.status = parser.get_status_code()
                yield b""
            parts, found.parts = found.parts, []
            for part in parts:
                yield part

    def close(self) -> None:
        self._writer.close()


class Http:
    """Use as an async context manager, or close."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._idle: list[_Connection] = []
        self._tls = ssl.create_default_context(cadata=place.ca_pem) if place.socket is None else None

    async def __aenter__(self) -> "Http":
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    async def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        async with self.stream(method, path, body, headers) as (answer, pieces):
            answer.body = b"".join([piece async for piece in pieces])
        return answer

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[tuple[Answer, AsyncIterator[bytes]]]:
        """The answer once its headers are there, and its body piece by piece."""
        data = self._head(method, path, body, headers or {}) + body
        while True:
            connection = await self._take()
            found = _Reader()
            pieces = connection.pieces(found)
            try:
                connection.send(data)
                await anext(pieces)
            except (_Closed, ConnectionError) as fault:
                connection.close()
                if connection.fresh:
                    raise Unavailable(f"the API closed the connection: {self._where()}") from fault
                continue
            except BaseException:
                connection.close()
                raise
            break
        try:
            yield found.answer, pieces
        finally:
            with contextlib.suppress(RuntimeError):
                await pieces.aclose()  # type: ignore[attr-defined]
            self._give_back(connection, found)

    def _give_back(self, connection: _Connection, found: _Reader) -> None:
        if found.done and len(self._idle) < KEPT and "close" not in found.answer.all("connection"):
            connection.fresh = False
            self._idle.append(connection)
        else:
            connection.close()

    async def _take(self) -> _Connection:
        if self._idle:
            return self._idle.pop()
        place = self._place
        try:
            if place.socket is not None:
                return _Connection(*await asyncio.open_unix_connection(str(place.socket)))
            return _Connection(*await asyncio.open_connection(place.host, place.port, ssl=self._tls))
        except OSError as fault:
            raise Unavailable(f"the API does not answer at {self._where()}: {fault.strerror or fault}") from fault

    def _where(self) -> str:
        place = self._place
        return str(place.socket) if place.socket is not None else f"https://{place.host}:{place.port}"

    def _head(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._place.host}"]
        if self._place.token:
            lines.append(f"Authorization: Bearer {self._place.token}")
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body or method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
