"""Both doors of an API over a memory store, and a plain HTTP client for either: no client library in between."""

import asyncio
import http.client
import json
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from madang.api.direct import DirectApi
from madang.ports.streams import PodStreams, Samples
from madang.wire.serve import Door, serve
from tests.api.house import house


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


class _Unix(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=20)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(20)
        self.sock.connect(str(self._path))


@dataclass
class Client:
    door: Door
    inner: bool = True
    token: str = ""

    async def __call__(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        return await asyncio.to_thread(self._send, method, path, body, dict(headers or {}))

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        if self.inner:
            connection: http.client.HTTPConnection = _Unix(self.door.socket)
        else:
            context = ssl.create_default_context(cafile=str(self.door.ca))
            connection = http.client.HTTPSConnection("127.0.0.1", self.door.port, context=context, timeout=20)
            if self.token:
                headers["Authorization"] = f"Bearer {self.token}"
        data = body if body is None or isinstance(body, bytes | str) else json.dumps(body)
        if data is not None:
            headers.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, data, headers)
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()


@asynccontextmanager
async def doors(
    home: Path, *, streams: PodStreams | None = None, samples: Samples | None = None
) -> AsyncIterator[tuple[DirectApi, Door]]:
    async with house("loopback", home) as api, serve(api, streams=streams, samples=samples) as door:
        yield api, door
