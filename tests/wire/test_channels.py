"""A session whose program does not read: it lasts as long as its client does, and no longer."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from madang.wire import channels
from tests.wire.streams import Echo


class Deaf(Echo):
    """Takes one piece of input, then none."""

    taken = 0

    async def write(self, data: bytes) -> None:
        self.taken += 1
        if self.taken > 1:
            await asyncio.Event().wait()


def test_a_client_that_leaves_while_nobody_reads_its_input_ends_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "STILL_THERE_S", 0.01)

    async def story() -> tuple[Deaf, list[bytes]]:
        process = Deaf(SimpleNamespace(command=["cat"], stdin=True))  # type: ignore[arg-type]
        inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        said: list[bytes] = []

        async def send(message: Any) -> None:
            if said.count(b"\x01") == 3:  # it has left meanwhile
                raise OSError
            said.append(message.get("bytes", b""))

        for data in (b"", b"\x00one", b"\x00two", b"\x00three"):
            inbox.put_nowait({"type": "websocket.receive", "bytes": data})
        request = SimpleNamespace(flag=lambda name: False, look=None)

        async def start() -> Deaf:
            return process

        async with asyncio.timeout(10):
            await channels.run(start, request, ["v5.channel.k8s.io"], inbox.get, send)  # type: ignore[arg-type]
        return process, said

    process, said = asyncio.run(story())
    assert process.ended.is_set() and process.taken == 2
    assert b"\x01cat\n" in said
