"""Port-forward over a WebSocket: v4.channel.k8s.io, two channels a port (data, then errors).

In: binary messages `channel, bytes`; a port's channels are 2i and 2i+1. Out: the same; the first message of each
channel is its port, little-endian (the protocol of kubelet's port-forward). A tunnel of SPDY frames, which kubectl
prefers, is spoken by `tunnel`.
"""

import asyncio
from functools import partial

from madang.ports.errors import BadRequest, StatusError
from madang.ports.streams import Connection, PodStreams
from madang.wire import tunnel
from madang.wire.answer import Receive, Send
from madang.wire.channels import patiently
from madang.wire.request import Request, Target

PROTOCOLS = (tunnel.PROTOCOL, "v4.channel.k8s.io")
SPDY_PROTOCOLS = ("portforward.k8s.io",)  # where the connection itself was upgraded


async def run(
    streams: PodStreams, request: Request, found: Target, protocol: str, receive: Receive, send: Send
) -> None:
    if protocol in (tunnel.PROTOCOL, *SPDY_PROTOCOLS):
        await receive()  # websocket.connect
        await send({"type": "websocket.accept", "subprotocol": protocol})
        await tunnel.Tunnel(streams, found, send, request.look).run(receive)
        return
    ports = [int(text) for value in request.every("ports") for text in value.split(",") if text.isdigit()]
    if not ports:
        raise BadRequest('query parameter "ports" is required')
    if any(not 0 < port < 1 << 16 for port in ports):
        raise BadRequest(f'query parameter "ports": {max(ports)} is no port')
    await receive()  # websocket.connect
    await send({"type": "websocket.accept", "subprotocol": protocol})
    for index, port in enumerate(ports):
        for channel in (2 * index, 2 * index + 1):
            await send({"type": "websocket.send", "bytes": bytes([channel]) + port.to_bytes(2, "little")})
    connections: dict[int, Connection] = {}
    try:
        async with asyncio.TaskGroup() as tasks:
            flows = []
            for index, port in enumerate(ports):
                try:
                    opened = await streams.forward(found.namespace or "", found.name, port)
                except StatusError as refusal:
                    text = bytes([2 * index + 1]) + refusal.message.encode()
                    await send({"type": "websocket.send", "bytes": text})
                    continue
                connections[index] = opened
                flows.append(tasks.create_task(_outgoing(opened, index, send)))
            await _incoming(connections, request, receive, send)
            for flow in flows:
                flow.cancel()
    finally:
        for connection in connections.values():
            await connection.close()


async def _incoming(connections: dict[int, Connection], request: Request, receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        data: bytes = message.get("bytes") or b""
        connection = connections.get(data[0] // 2) if data and data[0] % 2 == 0 else None
        if connection is not None and len(data) > 1:
            nothing = {"type": "websocket.send", "bytes": data[:1]}
            if not await patiently(connection.write(data[1:]), partial(send, nothing), request.look):
                return


async def _outgoing(connection: Connection, index: int, send: Send) -> None:
    while data := await connection.read():
        await send({"type": "websocket.send", "bytes": bytes([2 * index]) + data})
