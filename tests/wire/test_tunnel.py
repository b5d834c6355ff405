"""Port-forward in a tunnel: what came before the connection stood comes first, and the last word is passed on."""

import asyncio
from types import SimpleNamespace
from typing import Any

from madang.wire.spdy import Decoder, Encoder, Frame
from madang.wire.tunnel import Tunnel
from tests.wire.streams import FakeStreams


def test_the_answer_is_read_to_its_end_after_the_clients_last_word() -> None:
    async def story() -> list[Frame]:
        inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        decoder, said, over = Decoder(), list[Frame](), asyncio.Event()

        async def send(message: Any) -> None:
            said.extend(decoder.feed(message["bytes"]))
            if any(frame.kind == 0 and frame.stream == 3 and frame.last for frame in said):
                over.set()

        client = Encoder()
        headers = {"requestid": "0", "port": "80"}
        frames = [
            client.open(1, {**headers, "streamtype": "error"}, last=True),
            client.open(3, {**headers, "streamtype": "data"}),
            *(client.data(3, text) for text in (b"one ", b"two ", b"three ")),
            client.data(3, b"", last=True),
        ]
        for frame in frames:
            inbox.put_nowait({"type": "websocket.receive", "bytes": frame})
        tunnel = Tunnel(FakeStreams(), SimpleNamespace(namespace="default", name="web"), send)  # type: ignore[arg-type]
        running = asyncio.create_task(tunnel.run(inbox.get))  # type: ignore[arg-type]
        await over.wait()
        inbox.put_nowait({"type": "websocket.disconnect"})
        await running
        return said

    said = asyncio.run(story())
    assert b"".join(f.data for f in said if f.kind == 0 and f.stream == 3) == b"ONE TWO THREE BYE\n"
