"""One gRPC health check (grpc.health.v1.Health/Check), as a kubelet's probe sends it.

In: address, port, service name. Out: a `Result`: well if the answer is SERVING. HTTP/2 is spoken just as far as one
call on one connection needs it (RFC 9113): preface, settings, one request with literal headers (RFC 7541 6.2.2), then
frames are read until the answer's message.
"""

import asyncio
import struct
from typing import NamedTuple

from madang.node.probes.result import Result, dial_error

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY = 0x0, 0x1, 0x3, 0x4, 0x6, 0x7
_END_STREAM, _END_HEADERS, _ACK, _PADDED = 0x1, 0x4, 0x1, 0x8
_STATUSES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
_MOST_FRAMES = 100


class _Frame(NamedTuple):
    kind: int
    flags: int
    stream: int
    payload: bytes


async def grpc_check(ip: str, port: int, service: str) -> Result:
    """The caller cuts it off at the probe's timeout."""
    try:
        reader, writer = await asyncio.open_connection(ip, port)
    except OSError as e:
        return Result(False, f'error: failed to connect service "{ip}:{port}": {dial_error(e, ip, port)}')
    try:
        writer.write(_request(ip, port, service))
        message = await _answer(reader, writer)
    except (asyncio.IncompleteReadError, ConnectionError, ValueError, IndexError):
        message = None
    finally:
        writer.close()
    if message is None:
        return Result(False, "error: this server does not implement the grpc health protocol (grpc.health.v1.Health)")
    status = _status(message)
    if status == "SERVING":
        return Result(True)
    return Result(False, f'service unhealthy (responded with "{status}")')


def _request(ip: str, port: int, service: str) -> bytes:
    headers = (
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/grpc.health.v1.Health/Check"),
        (":authority", f"{ip}:{port}"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("user-agent", "kube-probe/1.36"),
    )
    block = b"".join(b"\x00" + _text(name) + _text(value) for name, value in headers)
    name = service.encode()
    body = b"\x0a" + _number(len(name)) + name if name else b""
    data = b"\x00" + struct.pack(">I", len(body)) + body
    return (
        _PREFACE
        + _frame(_SETTINGS, 0, 0, b"")
        + _frame(_HEADERS, _END_HEADERS, 1, block)
        + _frame(_DATA, _END_STREAM, 1, data)
    )


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes | None:
    """The message of the answer; None where the stream ends without one."""
    data = b""
    for _ in range(_MOST_FRAMES):
        frame = await _read(reader)
        if frame.kind == _SETTINGS and not frame.flags & _ACK:
            writer.write(_frame(_SETTINGS, _ACK, 0, b""))
        elif frame.kind == _PING and not frame.flags & _ACK:
            writer.write(_frame(_PING, _ACK, 0, frame.payload))
        elif frame.kind == _DATA and frame.stream == 1:
            pad = 1 + frame.payload[0] if frame.flags & _PADDED else 0
            data += frame.payload[1 : len(frame.payload) - pad + 1] if pad else frame.payload
            if len(data) >= 5 and len(data) >= 5 + struct.unpack(">I", data[1:5])[0]:
                return data[5 : 5 + struct.unpack(">I", data[1:5])[0]]
        ended = frame.kind in (_RESET, _GOAWAY) or (frame.kind == _HEADERS and frame.flags & _END_STREAM)
        if ended:
            return None
    return None


async def _read(reader: asyncio.StreamReader) -> _Frame:
    head = await reader.readexactly(9)
    size = int.from_bytes(head[:3], "big")
    if size > 1 << 20:
        raise ValueError("a frame that no health check needs")
    stream = int.from_bytes(head[5:9], "big") & 0x7FFFFFFF
    return _Frame(head[3], head[4], stream, await reader.readexactly(size))


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def _text(value: str) -> bytes:
    """A header string as it is, no Huffman code."""
    raw = value.encode()
    if len(raw) < 127:
        return bytes([len(raw)]) + raw
    return b"\x7f" + _number(len(raw) - 127) + raw


def _number(value: int) -> bytes:
    """Seven bits a byte, the lowest first: as HPACK and Protocol Buffers have it."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _status(message: bytes) -> str:
    """Field 1 of HealthCheckResponse; absent means UNKNOWN."""
    if len(message) < 2 or message[0] != 0x08:
        return _STATUSES[0]
    return _STATUSES[message[1]] if message[1] < len(_STATUSES) else str(message[1])
