"""People at the shop's door, for as long as a step lasts: open loop, and nobody tries again.

A request leaves when it is due, whether or not earlier ones are answered; its time counts from that moment. Only GETs,
so the shop keeps no orders of the tour. A page that says that a part of it is missing counts as failed, though its
status is 200. In: an address, a rate. Out: a `Tale` of what came of the requests.
"""

import asyncio
import contextlib
import re
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PATIENCE_S = 10.0
MISSING = re.compile(rb">(\w+ (?:does not answer|failed) \([^)]*\))")  # how the shop's page says it


@dataclass(frozen=True, slots=True)
class Visit:
    """`due` is in monotonic seconds; `fault` is empty where the whole answer came."""

    due: float
    took_s: float
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Tale:
    asked: int
    failed: int
    median_ms: float
    slowest_ms: float
    faults: dict[str, int]

    def figures(self) -> dict[str, Any]:
        """As a step tells them: what failed is named where something did."""
        told: dict[str, Any] = {"requests": self.asked, "failed": self.failed, "slowest_ms": self.slowest_ms}
        return {**told, "faults": self.faults} if self.faults else told


def tale(visits: list[Visit]) -> Tale:
    """Pure."""
    times = sorted(visit.took_s * 1000 for visit in visits)
    faults = Counter(visit.fault for visit in visits if visit.fault)
    median, slowest = (times[len(times) // 2], times[-1]) if times else (0.0, 0.0)
    return Tale(len(visits), faults.total(), round(median, 1), round(slowest, 1), dict(faults))


def fault(status: int, body: bytes) -> str:
    """What is wrong with an answer; empty: nothing. Pure."""
    if status >= 400:
        return f"status {status}"
    missing = MISSING.search(body)
    return missing[1].decode() if missing else ""


class Shoppers:
    def __init__(self, url: str, rate: float) -> None:
        parts = urlsplit(url)
        self.host, self.port, self.name = parts.hostname or "127.0.0.1", parts.port or 80, parts.netloc
        self.target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self.rate = rate
        self.begun = time.monotonic()
        self.visits: list[Visit] = []
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._under_way: set[asyncio.Task[None]] = set()

    def told(self, since: float = 0.0) -> Tale:
        """Of those that were due from that moment on."""
        return tale([visit for visit in self.visits if visit.due >= since])

    async def come(self) -> None:
        """Until cancelled; at most as many are under way as fit into the patience of one."""
        number = 0
        while True:
            due = self.begun + number / self.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            visit = asyncio.create_task(self._visit(due))
            self._under_way.add(visit)
            visit.add_done_callback(self._under_way.discard)
            number += 1

    async def leave(self) -> None:
        """Waits for the answers that are still due."""
        try:
            await asyncio.gather(*self._under_way)
        finally:
            for visit in self._under_way:
                visit.cancel()
            for _, writer in self._idle:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

    async def _visit(self, due: float) -> None:
        try:
            wrong = fault(*await asyncio.wait_for(self._ask(), PATIENCE_S))
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            wrong = type(error).__name__
        self.visits.append(Visit(due, time.monotonic() - due, wrong))

    async def _ask(self) -> tuple[int, bytes]:
        reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection(self.host, self.port)
        try:
            writer.write(f"GET {self.target} HTTP/1.1\r\nHost: {self.name}\r\n\r\n".encode())
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {k.lower(): v.strip().lower() for k, _, v in (line.partition(":") for line in lines[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
        except BaseException:
            writer.close()
            raise
        if headers.get("connection") == "close":
            writer.close()
        else:
            self._idle.append((reader, writer))
        return int(lines[0].split()[1]), body


@asynccontextmanager
async def shopping(url: str, rate: float) -> AsyncIterator[Shoppers]:
    """They come while the block runs; at its end the last answers are waited for."""
    shoppers = Shoppers(url, rate)
    coming = asyncio.create_task(shoppers.come())
    try:
        yield shoppers
    finally:
        coming.cancel()
        await asyncio.wait({coming})
        await shoppers.leave()
