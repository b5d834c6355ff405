"""Port-forward in a tunnel: what came before the connection stood comes first, and the last word is passed on."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from madang.wire import channels
from madang.wire import tunnel as module
from madang.wire.spdy import PING, Decoder, Encoder, Frame
from madang.wire.tunnel import Tunnel
from tests.wire.streams import FakeStreams, Shout


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


def test_a_client_that_leaves_while_the_pod_takes_nothing_ends_the_tunnel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "STILL_THERE_S", 0.01)

    class Deaf(Shout):
        async def write(self, data: bytes) -> None:
            await asyncio.Event().wait()

    class Streams(FakeStreams):
        async def forward(self, namespace: str, pod: str, port: int) -> Shout:
            self.opened.append(Deaf())
            return self.opened[-1]  # type: ignore[return-value]

    async def story() -> bool:
        inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        pings = 0

        async def send(message: Any) -> None:
            nonlocal pings
            pings += any(frame.kind == PING for frame in Decoder().feed(message["bytes"]))
            if pings > 2:  # it has left meanwhile
                raise OSError

        client, streams = Encoder(), Streams()
        inbox.put_nowait({"type": "websocket.receive", "bytes": client.open(1, {"requestid": "0", "port": "80"})})
        tunnel = Tunnel(streams, SimpleNamespace(namespace="default", name="web"), send)  # type: ignore[arg-type]
        running = asyncio.create_task(tunnel.run(inbox.get))  # type: ignore[arg-type]
        while not streams.opened:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        inbox.put_nowait({"type": "websocket.receive", "bytes": client.data(1, b"never taken")})
        async with asyncio.timeout(10):
            await running
        return streams.opened[0].ended.is_set()

    assert asyncio.run(story())


def test_a_client_is_not_listened_to_while_enough_waits_for_the_pod(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it sends meanwhile would be kept in memory, however much it is; nothing is lost or overtaken."""
    monkeypatch.setattr(module, "WAITING_BYTES", 8, raising=False)

    async def story() -> tuple[int, list[Frame]]:
        inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        decoder, said, over, may_open = Decoder(), list[Frame](), asyncio.Event(), asyncio.Event()

        class Slow(FakeStreams):
            async def forward(self, namespace: str, pod: str, port: int) -> Shout:
                await may_open.wait()
                return await super().forward(namespace, pod, port)  # type: ignore[return-value]

        async def send(message: Any) -> None:
            said.extend(decoder.feed(message["bytes"]))
            if any(frame.kind == 0 and frame.last for frame in said):
                over.set()

        client = Encoder()
        frames = [client.open(1, {"requestid": "0", "port": "80", "streamtype": "data"})]
        frames += [client.data(1, f"word {n} ".encode()) for n in range(20)]
        for frame in [*frames, client.data(1, b"end", last=True)]:
            inbox.put_nowait({"type": "websocket.receive", "bytes": frame})
        tunnel = Tunnel(Slow(), SimpleNamespace(namespace="default", name="web"), send)  # type: ignore[arg-type]
        running = asyncio.create_task(tunnel.run(inbox.get))  # type: ignore[arg-type]
        for _ in range(100):
            await asyncio.sleep(0)
        left = inbox.qsize()
        may_open.set()
        async with asyncio.timeout(10):
            await over.wait()
        inbox.put_nowait({"type": "websocket.disconnect"})
        await running
        return left, said

    left, said = asyncio.run(story())
    assert left >= 15
    told = b"".join(f.data for f in said if f.kind == 0 and f.stream == 1)
    assert told == b"".join(b"WORD %d " % n for n in range(20)) + b"ENDBYE\n"
