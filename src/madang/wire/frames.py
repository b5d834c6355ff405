"""How a message of a channel is written: as bytes, or as text in base64 for clients that send no bytes.

In: the subprotocol that was agreed on. Out: messages with their channel, read and written; the Status that closes a
session as its protocol has it: JSON since v4, before that the bare text of a failure and nothing for a success.
"""

import binascii
from base64 import b64decode, b64encode
from dataclasses import dataclass

import orjson

from madang.ports.objects import Obj
from madang.wire.answer import Scope, Send

# The first that a client offers and we know is taken; who offers none speaks as `channel.k8s.io`.
CHANNELS = (
    "v5.channel.k8s.io",
    "v4.channel.k8s.io",
    "v4.base64.channel.k8s.io",
    "channel.k8s.io",
    "base64.channel.k8s.io",
)
PLAIN = ("binary.k8s.io", "base64.binary.k8s.io")  # one stream, no channel


@dataclass(frozen=True, slots=True)
class Frames:
    """`protocol`: empty where the client offered none."""

    protocol: str
    send: Send

    @property
    def text(self) -> bool:
        return "base64." in self.protocol

    async def accept(self) -> None:
        await self.send({"type": "websocket.accept", "subprotocol": self.protocol or None})

    async def close(self) -> None:
        await self.send({"type": "websocket.close", "code": 1000})

    async def say(self, channel: int, data: bytes) -> None:
        if self.text:
            await self.send({"type": "websocket.send", "text": f"{channel}{b64encode(data).decode()}"})
        else:
            await self.send({"type": "websocket.send", "bytes": bytes([channel]) + data})

    async def plain(self, data: bytes) -> None:
        if self.text:
            await self.send({"type": "websocket.send", "text": b64encode(data).decode()})
        else:
            await self.send({"type": "websocket.send", "bytes": data})

    async def status(self, channel: int, status: Obj) -> None:
        if self.protocol.startswith("v"):
            await self.say(channel, orjson.dumps(status))
        elif status.get("status") != "Success":
            await self.say(channel, str(status.get("message", "")).encode())

    def heard(self, message: Scope) -> tuple[int, bytes] | None:
        """(channel, data); None where a message names no channel."""
        data: bytes = message.get("bytes") or (message.get("text") or "").encode()
        if not data:
            return None
        if not self.text:
            return data[0], data[1:]
        try:
            return int(data[:1]), b64decode(data[1:], validate=True)
        except (ValueError, binascii.Error):
            return None
