"""The hand on the packet filter, where it cannot write: it says why, once, and tries again."""

import asyncio
import logging
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from madang.gateway import loop
from madang.gateway.desired import Datagram
from madang.gateway.hand import Outcome
from madang.gateway.kernel import Kernel
from madang.gateway.loop import Gateway, Outside
from madang.ports.clock import SystemClock
from tests.gateway.objects import settings
from tests.gateway.test_loop import LOOPBACK, house

ROWS = (Datagram("10.2.0.5", 53, (("10.1.0.2", 5353),)),)


def test_a_fault_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: Any) -> str:
        raise OSError(28, "No space left on device")

    kernel = Kernel(settings(home=tmp_path))
    monkeypatch.setattr(kernel, "_write", full)
    with caplog.at_level(logging.WARNING):
        asyncio.run(kernel.apply(ROWS))
        asyncio.run(kernel.apply(ROWS))
    assert "No space left" in kernel.why_not and len(caplog.records) == 1


def test_it_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any other change: a table that was refused stayed away until something else happened."""
    monkeypatch.setattr(loop, "RETRY_S", 0.01)
    tries: list[Any] = []
    enough = asyncio.Event()

    class Closed:
        why_not = "nft refused: busy"

        async def apply(self, wanted: Any) -> None:
            tries.append(wanted)
            if len(tries) == 3:
                self.why_not = ""
                enough.set()

    async def apply(_: Any) -> Outcome:
        return Outcome()

    async def sweep() -> bool:
        return False

    async def main() -> None:
        async with house() as api:
            hand: Any = SimpleNamespace(apply=apply, sweep=sweep, on_trouble=None)
            gateway = Gateway(api, settings(LOOPBACK), SystemClock(), outside=Outside(lambda: hand, lambda _: 7080))
            gateway._kernel = Closed()
            await gateway.start()
            running = asyncio.create_task(gateway._turns())
            async with asyncio.timeout(10):
                await enough.wait()
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    asyncio.run(main())
