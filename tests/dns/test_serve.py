"""The server on real sockets of this machine's loopback, and another one that stands for the outside."""

import asyncio
import functools
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import dns.asyncquery
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from madang.api.direct import DirectApi
from madang.api.index import Index
from madang.dns import answering, serve
from madang.dns.serve import Dns
from madang.dns.upstream import Upstream
from madang.ports.chance import SystemChance
from madang.ports.clock import SystemClock
from madang.ports.settings import Addresses, Settings
from madang.store.memory import memory_store
from tests.free_ports import free_port

ADDRESSES = Addresses("bridge", "127.0.0.0/24", "127.0.1.0/24", "127.0.0.1")


def run(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @functools.wraps(test)
    def whole(**fixtures: Any) -> None:
        asyncio.run(asyncio.wait_for(test(**fixtures), 30))

    return whole


class Outside(asyncio.DatagramProtocol):
    """Knows `example.com`; of `big.example` only over TCP."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.transport.sendto(said(data, cut=True), addr)


def said(data: bytes, *, cut: bool = False) -> bytes:
    asked = dns.message.from_wire(data)
    answer = dns.message.make_response(asked)
    name = asked.question[0].name
    if cut and name.to_text().startswith("big."):
        answer.flags |= dns.flags.TC
    else:
        answer.answer = [dns.rrset.from_text(name, 60, "IN", "A", "192.0.2.9")]
    return answer.to_wire()


async def by_stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    data = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
    answer = said(data)
    writer.write(len(answer).to_bytes(2) + answer)
    await writer.drain()
    writer.close()


@asynccontextmanager
async def server(tmp_path: Path, monkeypatch: Any, *, upstream: bool = True) -> AsyncIterator[tuple[int, DirectApi]]:
    settings = Settings("t", "t", tmp_path, ADDRESSES)
    clock, index = SystemClock(), Index()
    api = DirectApi(memory_store(index.terms, clock), index, clock, SystemChance(1), settings)
    port, beyond = free_port(), free_port()
    loop = asyncio.get_running_loop()
    listed = tmp_path / "resolv.conf"
    listed.write_text("nameserver 127.0.0.9\n" if upstream else "")
    monkeypatch.setattr(answering, "Upstream", lambda own: Upstream(own, beyond, (listed,)))
    transport, _ = await loop.create_datagram_endpoint(Outside, local_addr=("127.0.0.9", beyond))
    other = await asyncio.start_server(by_stream, "127.0.0.9", beyond)
    house = Dns(ADDRESSES, port)
    house.open_sockets()
    assert house.address == "127.0.0.1", house.why_not
    task = asyncio.create_task(house.run(api, clock, SystemChance(1)))
    try:
        yield port, api
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        transport.close()
        other.close()
        await other.wait_closed()


async def ask(port: int, name: str, kind: str = "A", *, stream: bool = False) -> dns.message.Message:
    query = dns.message.make_query(name, kind)
    by: Callable[..., Any] = dns.asyncquery.tcp if stream else dns.asyncquery.udp
    answer = await by(query, "127.0.0.1", port=port, timeout=20)
    assert isinstance(answer, dns.message.Message)
    return answer


def values(answer: dns.message.Message) -> list[str]:
    return [item.to_text() for row in answer.answer for item in row]


@run
async def test_it_answers_of_the_house_and_asks_others(tmp_path: Path, monkeypatch: Any) -> None:
    async with server(tmp_path, monkeypatch) as (port, api):
        await api.create("namespaces", {"metadata": {"name": "default"}})
        out = {"metadata": {"name": "out"}, "spec": {"type": "ExternalName", "externalName": "example.com"}}
        await api.create("services", out, namespace="default")
        for stream in (False, True):
            assert values(await ask(port, "dns-version.cluster.local", "TXT", stream=stream)) == ['"1.1.0"']
            assert values(await ask(port, "example.com", stream=stream)) == ["192.0.2.9"]
            assert values(await ask(port, "big.example", stream=stream)) == ["192.0.2.9"]
            found = values(await ask(port, "out.default.svc.cluster.local", stream=stream))
            assert found == ["example.com.", "192.0.2.9"]
            none = await ask(port, "none.default.svc.cluster.local", stream=stream)
            assert none.rcode() == dns.rcode.NXDOMAIN


@run
async def test_reverse_names_follow_the_services(tmp_path: Path, monkeypatch: Any) -> None:
    async with server(tmp_path, monkeypatch) as (port, api):
        await api.create("namespaces", {"metadata": {"name": "default"}})
        for ip in ("127.0.1.7", "127.0.1.8"):
            pointer = ".".join([*reversed(ip.split(".")), "in-addr", "arpa"])
            assert values(await ask(port, pointer, "PTR")) == []
            spec = {"clusterIP": ip, "ports": [{"port": 80}]}
            name = f"s{ip[-1]}"
            await api.create("services", {"metadata": {"name": name}, "spec": spec}, namespace="default")
            while not (found := values(await ask(port, pointer, "PTR"))):
                await SystemClock().sleep(0.005)
            assert found == [f"{name}.default.svc.cluster.local."]


@run
async def test_without_anybody_to_ask_it_says_so_at_once(tmp_path: Path, monkeypatch: Any) -> None:
    async with server(tmp_path, monkeypatch, upstream=False) as (port, _):
        assert (await ask(port, "example.com")).rcode() == dns.rcode.SERVFAIL


@run
async def test_strangers_are_not_answered(tmp_path: Path, monkeypatch: Any) -> None:
    heard: list[str] = []
    known = Dns._known

    def note(self: Dns, ip: str) -> bool:
        heard.append(ip)
        return known(self, ip)

    monkeypatch.setattr(Dns, "_known", note)
    async with server(tmp_path, monkeypatch) as (port, _):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.9.9.9", 0))
            stranger.setblocking(False)
            stranger.sendto(dns.message.make_query("cluster.local", "NS").to_wire(), ("127.0.0.1", port))
            assert values(await ask(port, "cluster.local", "NS"))
            assert "127.9.9.9" in heard
            try:
                got = stranger.recv(512)
            except BlockingIOError:
                got = b""
        assert got == b""


def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        house = serve.Dns(ADDRESSES, other.getsockname()[1])
        house.open_sockets()
        assert house.address == "" and "in use" in house.why_not
        house.close()
