"""Requests at their times on kept connections, nothing tried again: the client of the benches that break things.

Latency counts from the moment at which a request was due. In: where, how many a second, what; out: what came of each.
"""

import asyncio
import re
import time
from dataclasses import dataclass, field

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Outcome:
    method: str
    due: float  # monotonic seconds
    end: float
    status: str  # "200", or the name of the error


@dataclass
class Load:
    port: int
    rate: float
    path: str = "/"
    posts: float = 0.0  # the share of requests that are POSTs
    outcomes: list[Outcome] = field(default_factory=list)
    idle: list[Connection] = field(default_factory=list)
    closed_idle: int = 0  # idle connections that the other side closed

    async def run(self) -> None:
        """Until cancelled."""
        begin, number = time.monotonic(), 0
        running: set[asyncio.Task[None]] = set()
        try:
            while True:
                due = begin + number / self.rate
                if (wait := due - time.monotonic()) > 0:
                    await asyncio.sleep(wait)
                task = asyncio.create_task(self._one("POST" if _every(number, self.posts) else "GET", due))
                running.add(task)
                task.add_done_callback(running.discard)
                number += 1
        finally:
            await asyncio.gather(*running, return_exceptions=True)
            for _, writer in self.idle:
                writer.close()

    async def _one(self, method: str, due: float) -> None:
        try:
            status = await asyncio.wait_for(self._ask(method), 10)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            status = type(error).__name__
        self.outcomes.append(Outcome(method, due, time.monotonic(), status))

    def _kept(self) -> Connection | None:
        """One that is idle and open. What the other side closed meanwhile (HAProxy: after 75 s) is put away, as every
        HTTP client does: nothing was sent on it, so this is no second try."""
        while self.idle:
            reader, writer = self.idle.pop()
            if not reader.at_eof():
                return reader, writer
            self.closed_idle += 1
            writer.close()
        return None

    async def _ask(self, method: str) -> str:
        reader, writer = self._kept() or await asyncio.open_connection("127.0.0.1", self.port)
        try:
            body = b"{}" if method == "POST" else b""
            head = f"{method} {self.path} HTTP/1.1\r\nhost: bench\r\ncontent-length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            found = re.search(rb"content-length: *(\d+)", answer, re.IGNORECASE)
            await reader.readexactly(int(found[1]) if found else 0)
        except BaseException:
            writer.close()
            raise
        self.idle.append((reader, writer))
        return answer.split(b" ")[1].decode()


def _every(number: int, share: float) -> bool:
    return int((number + 1) * share) > int(number * share)
