"""How answers leave: whole ones with their length, streams in pieces; refusals as Status objects; gzip where it pays.

In: status, bytes, warnings. Out: ASGI messages.
"""

import asyncio
import gzip
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import orjson
import yaml

from madang.ports.errors import StatusError

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Scope = MutableMapping[str, Any]

GZIP_FROM = 128 * 1024  # bytes: below this compressing costs more than it saves (the API server's own threshold)
JSON = b"application/json"
ASIDE_FROM = 1024 * 1024
_TYPE = {"application/json": JSON, "application/yaml": b"application/yaml"}
_VARY = (b"vary", b"Accept")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # what a client wrote comes back in a header: never a new line


async def send_bytes(
    send: Send,
    status: int,
    body: bytes,
    *,
    media: str = "application/json",
    warnings: Iterable[str] = (),
    gzipped: bool = False,
    extra: Iterable[tuple[bytes, bytes]] = (),
) -> None:
    """`body` is JSON; it is turned into YAML where that was asked for."""
    if media == "application/yaml":
        body = yaml.dump(orjson.loads(body), Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper)).encode()
    headers = [(b"content-type", _TYPE.get(media) or media.encode()), *extra]
    if gzipped and len(body) >= GZIP_FROM:
        # Aside: a large list takes a tenth of a second, in which no probe may wait.
        body = await asyncio.to_thread(gzip.compress, body, 1) if len(body) > ASIDE_FROM else gzip.compress(body, 1)
        headers += [(b"content-encoding", b"gzip"), _VARY]
    headers.append((b"content-length", b"%d" % len(body)))
    headers += [(b"warning", warning(text)) for text in warnings]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def warning(text: str) -> bytes:
    """RFC 7234's warn-text: code 299, no agent, the text quoted."""
    quoted = _CONTROL.sub(" ", text).replace("\\", "\\\\").replace('"', '\\"')
    return f'299 - "{quoted}"'.encode("utf-8", "replace")


async def send_refusal(send: Send, refusal: StatusError, media: str = "application/json") -> None:
    extra: list[tuple[bytes, bytes]] = []
    after = (refusal.details or {}).get("retryAfterSeconds")
    if after or refusal.code == 429:
        extra.append((b"retry-after", str(after or 1).encode()))
    if refusal.code == 401:
        extra.append((b"www-authenticate", b'Bearer realm="madang"'))
    await send_bytes(send, refusal.code, orjson.dumps(refusal.body()), media=media, extra=extra)


async def send_text(send: Send, status: int, text: str) -> None:
    await send_bytes(send, status, text.encode(), media="text/plain; charset=utf-8")


async def begin_stream(send: Send, media: bytes = JSON) -> None:
    headers = [(b"content-type", media), (b"cache-control", b"no-cache, private")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def gone(receive: Receive, closing: asyncio.Event) -> None:
    """Returns when the client has left, or must: the doors close."""
    leaving = asyncio.create_task(_left(receive))
    shutting = asyncio.create_task(closing.wait())
    try:
        await asyncio.wait({leaving, shutting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        leaving.cancel()
        shutting.cancel()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
        pass
