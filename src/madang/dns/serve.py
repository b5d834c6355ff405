"""The DNS server on the bridge's own address: UDP and TCP, for all pods of all nodes.

In: the API (what there is), the courtyard's addresses. Out: answers. `open_sockets` takes the ports at once and what
comes waits in them; `run` loads the wire format beside everything else, and answers until it is cancelled. Only pods
and this machine are answered. Bounded: questions that go outside (`Upstream`), streams (`STREAMS`), their idleness.
"""

import asyncio
import logging
import socket
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING, cast

from madang.loops.watcher import Watcher
from madang.ports.api import LocalApi
from madang.ports.chance import Chance
from madang.ports.clock import Clock
from madang.ports.settings import Addresses

if TYPE_CHECKING:
    from madang.dns.answering import Answering

log = logging.getLogger(__name__)
PORT = 53
STREAMS = 64
IDLE_S = 10.0
KINDS = ("services", "endpointslices.discovery.k8s.io")


class Dns:
    """`why_not`: the server is not there, and pods ask the machine's resolvers instead."""

    def __init__(self, addresses: Addresses, port: int = PORT) -> None:
        self._addresses, self._port = addresses, port
        self._pods = IPv4Network(addresses.pod_cidr)
        self._sockets: list[socket.socket] = []
        self._streams = 0
        self._answering: Answering | None = None
        self._asked: set[asyncio.Task[None]] = set()
        self.why_not = ""

    @property
    def address(self) -> str:
        """What pods are told; empty where nobody listens."""
        return "" if self.why_not or not self._sockets else self._addresses.gateway_ip

    def open_sockets(self) -> None:
        if self._addresses.network != "bridge":
            self.why_not = "only on the network bridge: names are in /etc/hosts"
            return
        here = (self._addresses.gateway_ip, self._port)
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            one = socket.socket(socket.AF_INET, kind | socket.SOCK_NONBLOCK)
            self._sockets.append(one)
            try:
                if kind == socket.SOCK_STREAM:  # an earlier server's connections may linger
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                one.bind(here)
                if kind == socket.SOCK_STREAM:
                    one.listen(STREAMS)
            except OSError as fault:
                self.why_not = f"port {self._port} of {here[0]}: {fault.strerror}"
                self.close()
                return

    def close(self) -> None:
        for one in self._sockets:
            one.close()
        self._sockets.clear()

    async def run(self, api: LocalApi, clock: Clock, chance: Chance) -> None:
        if not self._sockets:
            await asyncio.Event().wait()
        await asyncio.to_thread(_load)
        from madang.dns.answering import Answering

        self._answering = answering = Answering(api.view, self._addresses, chance)
        watcher = Watcher(api, clock)
        for kind in KINDS:
            watcher.listen(kind, lambda change: answering.forget())
        loop = asyncio.get_running_loop()
        datagrams, streams = self._sockets
        transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=datagrams)
        server = await asyncio.start_server(self._stream, sock=streams)
        try:
            async with asyncio.TaskGroup() as group:
                for kind in KINDS:
                    group.create_task(watcher.run(kind), name=f"dns watch {kind}")
        finally:
            transport.close()
            server.close()
            for task in list(self._asked):
                task.cancel()
            await asyncio.gather(*self._asked, return_exceptions=True)
            self.close()

    def hear(self, data: bytes, place: tuple[str, int], transport: asyncio.DatagramTransport) -> None:
        """Most answers are known at once; only what goes outside becomes a task."""
        if self._answering is None or not self._known(place[0]):
            return
        answer = self._answering.at_once(data)
        if isinstance(answer, bytes):
            transport.sendto(answer, place)
        elif answer is not None:
            outside = answer

            async def ask() -> None:
                got = await outside
                if not transport.is_closing():
                    transport.sendto(got, place)

            task = asyncio.create_task(ask(), name="dns question outside")
            task.add_done_callback(lambda _: outside.close())  # it may be cancelled before its first step
            self._own(task)

    def _own(self, task: asyncio.Task[None]) -> None:
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)

    def _known(self, ip: str) -> bool:
        return IPv4Address(ip) in self._pods

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None and self._answering is not None
        self._own(task)
        self._streams += 1
        try:
            if self._streams <= STREAMS and self._known(writer.get_extra_info("peername")[0]):
                with suppress(OSError, TimeoutError, EOFError):
                    await self._converse(self._answering, reader, writer)
        finally:
            self._streams -= 1
            writer.close()

    @staticmethod
    async def _converse(answering: "Answering", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            async with asyncio.timeout(IDLE_S):
                data = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
                answer = answering.at_once(data, stream=True)
                if answer is None:
                    return
                if not isinstance(answer, bytes):
                    answer = await answer
                writer.write(len(answer).to_bytes(2) + answer)
                await writer.drain()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: Dns) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # other loops have classes of their own

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._server.hear(data, addr, self._transport)


def _load() -> None:
    """The wire format takes a tenth of a second to load, and nobody waits for it."""
    import madang.dns.answering  # noqa: F401
