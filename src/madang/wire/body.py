"""The body of a request: bounded as the API server bounds it, and read by its media type.

In: ASGI messages, a Content-Type. Out: JSON as bytes for the decoder (YAML is made JSON), or values (protobuf).
"""

import asyncio
from typing import Any

import orjson

from madang.api import yaml_body
from madang.ports.errors import BadRequest, StatusError
from madang.wire import negotiate, protobuf
from madang.wire.answer import Receive
from madang.wire.request import Request

MAX_BODY = 3 * 1024 * 1024
SLOWEST_S = 60.0  # that a body may take to come


async def read_body(receive: Receive) -> bytes:
    first = await receive()
    body: bytes = first.get("body", b"")
    if not first.get("more_body"):
        return _bounded(body)
    try:
        async with asyncio.timeout(SLOWEST_S):
            return await _rest(receive, [body])
    except TimeoutError:
        raise StatusError("the request's body did not come in time", code=408, reason="Timeout") from None


async def _rest(receive: Receive, parts: list[bytes]) -> bytes:
    size = len(parts[0])
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("the client left before its request was complete")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY or not message.get("more_body"):
            return _bounded(b"".join(parts))


def _bounded(body: bytes) -> bytes:
    if len(body) > MAX_BODY:
        raise StatusError(
            f"Request entity too large: limit is {MAX_BODY}", code=413, reason="RequestEntityTooLarge", details={}
        )
    return body


def given_body(request: Request, body: bytes) -> Any:
    media = negotiate.body_media(request.headers.get("content-type", ""))
    if media == "application/yaml":
        return orjson.dumps(yaml_body.read(body))
    if media == negotiate.PROTOBUF:
        return protobuf.read(body)
    return body
