"""Exec over SPDY streams: opened by the client, shown as channels, closed with the Status."""

import asyncio
from typing import Any

import pytest

from madang.ports.api import User
from madang.ports.errors import BadRequest
from madang.wire.answer import Scope
from madang.wire.request import Request, query
from madang.wire.spdy import SYN_REPLY, Decoder, Encoder
from madang.wire.spdy_session import Session


def request(asked: bytes) -> Request:
    pairs = query(asked)
    return Request("POST", "/", dict(pairs), {}, User("x"), asyncio.Event(), pairs)


def play(asked: bytes, pieces: list[bytes], offered: tuple[str, ...] = ("v4.channel.k8s.io",)) -> Any:
    """Whether the streams came, what the application was given, what the client got."""

    async def main() -> Any:
        given = [{"type": "websocket.connect"}, *({"type": "websocket.receive", "bytes": p} for p in pieces)]
        said: list[Scope] = []

        async def receive() -> Scope:
            return given.pop(0) if given else {"type": "websocket.disconnect"}

        async def send(message: Scope) -> None:
            said.append(message)

        session = Session(receive, send)
        opened = await session.open(request(asked), offered)
        taken: list[Scope] = []
        while opened and (not taken or taken[-1]["type"] != "websocket.disconnect"):
            taken.append(await session.receive())
        if opened:
            for data in (b"\x01out", b"\x02err", b"\x03{}"):
                await session.send({"type": "websocket.send", "bytes": data})
            await session.send({"type": "websocket.close", "code": 1000})
        return opened, [m.get("bytes") for m in taken], said

    return asyncio.run(main())


def test_streams_are_shown_as_channels() -> None:
    client = Encoder()
    names = ("error", "stdin", "stdout", "stderr", "odd")
    pieces = [client.open(2 * i + 1, {"streamType": name}) for i, name in enumerate(names)]
    pieces += [client.ping(7), client.data(3, b"abc"), client.data(3, b"", last=True)]
    whole = b"".join(pieces)
    cut = [whole[i : i + 11] for i in range(0, len(whole), 11)]
    opened, taken, said = play(b"stdin=true&stdout=true&stderr=true&command=x", cut)
    assert opened and taken == [None, b"\x00abc", b"\xff\x00", None]
    assert said[0] == {"type": "websocket.accept", "subprotocol": "v4.channel.k8s.io"}
    decoder = Decoder()
    frames = [frame for message in said if "bytes" in message for frame in decoder.feed(message["bytes"])]
    assert [frame.stream for frame in frames if frame.kind == SYN_REPLY] == [1, 3, 5, 7]
    assert [(f.stream, f.data, f.last) for f in frames if f.kind == 0] == [
        (5, b"out", False), (7, b"err", False), (1, b"{}", False),
        (1, b"", True), (3, b"", True), (5, b"", True), (7, b"", True),
    ]  # fmt: skip
    assert said[-1]["type"] == "websocket.close"


def test_a_client_that_leaves_or_raves_before_its_streams_stand_is_let_go() -> None:
    assert play(b"stdout=true", [Encoder().open(1, {"streamtype": "error"})])[0] is False
    assert play(b"stdout=true", [b"\x80\x09" + b"x" * 30])[0] is False


def test_an_unknown_dialect_is_refused() -> None:
    with pytest.raises(BadRequest, match="unable to negotiate protocol"):
        play(b"stdout=true", [], ("channel.k8s.io",))
