"""The gRPC health check against a server that speaks just enough HTTP/2."""

import asyncio
import struct

import pytest

from madang.node.probes.grpc import grpc_check
from madang.node.probes.result import Result


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def message(body: bytes) -> bytes:
    return b"\x00" + struct.pack(">I", len(body)) + body


HEADERS = frame(1, 4, 1, b"\x88")
ANSWERS = {
    "serving": HEADERS + frame(0, 0, 1, message(b"\x08\x01")),
    "padded, in two frames": HEADERS
    + frame(0, 8, 1, b"\x02" + message(b"\x08\x01")[:3] + b"\0\0")
    + frame(0, 0, 1, message(b"\x08\x01")[3:]),
    "not serving": HEADERS + frame(0, 0, 1, message(b"\x08\x02")),
    "empty": HEADERS + frame(0, 0, 1, message(b"")),
    "unimplemented": frame(1, 5, 1, b"\x88"),
    "reset": frame(3, 0, 1, b"\0\0\0\1"),
    "not http/2": b"HTTP/1.1 400 Bad Request\r\n\r\n",
}


def asked(answer: bytes) -> tuple[Result, bytes]:
    heard = bytearray()

    async def run() -> Result:
        serving: list[asyncio.Task[None]] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(frame(4, 0, 0, b"") + frame(6, 0, 0, b"12345678"))
            heard.extend(await reader.read(4096))
            writer.write(answer)
            heard.extend(await reader.read(4096))
            writer.close()

        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            serving.append(asyncio.ensure_future(serve(reader, writer)))

        server = await asyncio.start_server(begin, "127.0.0.1", 0)
        found = await grpc_check("127.0.0.1", server.sockets[0].getsockname()[1], "shop")
        server.close()
        await server.wait_closed()
        await asyncio.gather(*serving, return_exceptions=True)
        return found

    return asyncio.run(run()), bytes(heard)


@pytest.mark.parametrize(
    ("answer", "ok", "text"),
    [
        ("serving", True, ""),
        ("padded, in two frames", True, ""),
        ("not serving", False, 'service unhealthy (responded with "NOT_SERVING")'),
        ("empty", False, 'service unhealthy (responded with "UNKNOWN")'),
        ("unimplemented", False, "does not implement the grpc health protocol"),
        ("reset", False, "does not implement the grpc health protocol"),
        ("not http/2", False, "does not implement the grpc health protocol"),
    ],
)
def test_answers(answer: str, ok: bool, text: str) -> None:
    result, heard = asked(ANSWERS[answer])
    assert result.ok is ok
    assert text in result.message
    assert heard.startswith(b"PRI * HTTP/2.0")
    assert b"/grpc.health.v1.Health/Check" in heard
    assert b"\x0a\x04shop" in heard


def test_nobody_there() -> None:
    result = asyncio.run(grpc_check("127.0.0.1", 1, ""))
    assert result.message.endswith("dial tcp 127.0.0.1:1: connect: connection refused")
