"""The machine's own resolvers: whoever knows the names that are not the house's.

In: a question's bytes. Out: the answer's bytes, or None where nobody answers. The list is read again whenever the
machine's file has changed. An answer that came cut by datagram is fetched over TCP. At most `AT_ONCE` questions are
under way; more are refused at once.
"""

import asyncio
import os
from contextlib import suppress
from pathlib import Path

from madang.dns import wire
from madang.porch import standing

RESOLV_CONF = Path("/etc/resolv.conf")
BEHIND_A_STUB = Path("/run/systemd/resolve/resolv.conf")
AT_ONCE = 256
WAIT_S = 2.0  # for each server; a stub resolver itself asks again after five
SERVERS = 3


class Upstream:
    def __init__(self, own: str, port: int = 53, sources: tuple[Path, ...] | None = None) -> None:
        """`own`: the house's server, which must never ask itself."""
        self._own, self._port = own, port
        self._sources = sources or (RESOLV_CONF, BEHIND_A_STUB)
        self._seen: object = None
        self._servers: list[str] = []
        self._busy = 0

    def servers(self) -> list[str]:
        """From a network namespace of our own the machine's loopback cannot be reached: then those count that stand
        behind its stub."""
        seen = tuple(_stamp(path) for path in self._sources)
        if seen != self._seen:
            self._seen, self._servers = seen, []
            for path in self._sources:
                found = [s for s in listed(path) if s != self._own]
                if standing.inside():
                    found = [s for s in found if not s.startswith("127.") and s != "::1"]
                if found:
                    self._servers = found[:SERVERS]
                    break
        return self._servers

    async def ask(self, question: bytes, *, stream: bool = False) -> bytes | None:
        if self._busy >= AT_ONCE:
            return None
        self._busy += 1
        try:
            for server in self.servers():
                with suppress(OSError, TimeoutError, EOFError):
                    async with asyncio.timeout(WAIT_S):
                        return await self._one(server, question, stream)
            return None
        finally:
            self._busy -= 1

    async def _one(self, server: str, question: bytes, stream: bool) -> bytes:
        if not stream:
            got = await _by_datagram(server, self._port, question)
            if not got[2] & 0x02:
                return got
        return await _by_stream(server, self._port, question)


def listed(path: Path) -> list[str]:
    try:
        lines = [line.split() for line in path.read_text().splitlines()]
    except (OSError, ValueError):
        return []
    return [words[1] for words in lines if len(words) > 1 and words[0] == "nameserver"]


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0, 0)
    return found.st_mtime_ns, found.st_ino, found.st_size


class _Asking(asyncio.DatagramProtocol):
    """One question, from a port of its own; what does not answer it is not heard."""

    def __init__(self, question: bytes) -> None:
        self._question = question
        self.got: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: object) -> None:
        if not self.got.done() and wire.answers(self._question, data):
            self.got.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.got.done():
            self.got.set_exception(exc)


async def _by_datagram(server: str, port: int, question: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    transport, asking = await loop.create_datagram_endpoint(lambda: _Asking(question), remote_addr=(server, port))
    try:
        transport.sendto(question)
        return await asking.got
    finally:
        asking.got.cancel()
        transport.close()


async def _by_stream(server: str, port: int, question: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(server, port)
    try:
        writer.write(len(question).to_bytes(2) + question)
        got = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
    finally:
        writer.close()
    if not wire.answers(question, got):
        raise OSError(f"{server} answers something else")
    return got
