"""The HTTP probe against a real server on loopback: what a kubelet would say."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from madang.node.pod.spec import Role
from madang.node.probes.handler import SystemHandler, Target, own_place
from madang.node.probes.http import http_get
from madang.node.probes.result import Result
from madang.ports.objects import Obj

ANSWERS = {
    "/ok": b"HTTP/1.1 204 No Content\r\n\r\n",
    "/bare": b"HTTP/1.0 200 OK\nServer: small\n\nok",
    "/bad": b"HTTP/1.1 503 Service Unavailable\r\n\r\n",
    "/moved": b"HTTP/1.1 302 Found\r\nLocation: /bad\r\n\r\n",
    "/away": b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example/\r\n\r\n",
    "/loop": b"HTTP/1.1 302 Found\r\nLocation: /loop\r\n\r\n",
    "/no-port": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:99999/\r\n\r\n",
    "/no-url": b"HTTP/1.1 302 Found\r\nLocation: http://[\r\n\r\n",
    "/garbage": b"ssh-2.0\r\n\r\n",
}


def against(ask: Callable[[int, list[str]], Awaitable[Result]]) -> tuple[Result, list[str]]:
    heads: list[str] = []

    serving: list[asyncio.Task[None]] = []

    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.ensure_future(serve(reader, writer)))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.read(4096)).decode()
        if head:
            heads.append(head)
            path = head.split(" ")[1]
            if path == "/hang":
                await reader.read()
            writer.write(ANSWERS.get(path, b""))
        writer.close()
        await writer.wait_closed()

    async def run() -> Result:
        server = await asyncio.start_server(begin, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            found = await ask(port, heads)
            await asyncio.sleep(0.01)  # so that the server has seen every connection
            return found
        finally:
            server.close()
            await server.wait_closed()
            await asyncio.gather(*serving)

    return asyncio.run(run()), heads


def get(path: str, **more: object) -> tuple[Result, list[str]]:
    return against(lambda port, _: http_get("127.0.0.1", port, {"path": path, **more}))


@pytest.mark.parametrize(
    ("path", "ok", "message"),
    [
        ("/ok", True, ""),
        ("/bare", True, ""),
        ("/bad", False, "HTTP probe failed with statuscode: 503"),
        ("/moved", False, "HTTP probe failed with statuscode: 503"),
        ("/away", True, ""),
        ("/loop", False, "stopped after 10 redirects"),
        ("/no-port", False, "Port out of range 0-65535"),
        ("/no-url", False, "Invalid IPv6 URL"),
        ("/garbage", False, "EOF"),
        ("/empty", False, "EOF"),
    ],
)
def test_answers(path: str, ok: bool, message: str) -> None:
    result, _ = get(path)
    assert result.ok is ok
    assert result.message.endswith(message)


def test_headers_are_sent_and_may_replace_the_usual_ones() -> None:
    _, (head,) = get("/ok", httpHeaders=[{"name": "Host", "value": "shop.example"}, {"name": "X-A", "value": "1"}])
    assert head.startswith("GET /ok HTTP/1.1\r\n")
    assert "\r\nHost: shop.example\r\n" in head
    assert "\r\nX-A: 1\r\n" in head
    assert "\r\nUser-Agent: kube-probe/" in head


def test_nobody_there() -> None:
    async def ask(port: int, _: list[str]) -> Result:
        return await http_get("127.0.0.1", 1, {"path": "/"})

    result, _ = against(ask)
    assert result.message == 'Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused'


def target(port: int) -> Target:
    role = Role("main", {"name": "c", "ports": [{"name": "http", "containerPort": port}]})
    return Target(role, "127.0.0.1", None, None, None)  # type: ignore[arg-type]


def test_a_hanging_probe_is_cut_off() -> None:
    what: Obj = {"httpGet": {"path": "/hang", "port": "http"}}
    result, _ = against(lambda port, _: SystemHandler().ask(target(port), what, 0.05))
    assert not result.ok
    assert "context deadline exceeded" in result.message


def test_tcp_by_the_ports_name() -> None:
    result, _ = against(lambda port, _: SystemHandler().ask(target(port), {"tcpSocket": {"port": "http"}}, 1))
    assert result.ok
    result, _ = against(lambda port, _: SystemHandler().ask(target(port), {"tcpSocket": {"port": "none"}}, 1))
    assert result.message == "couldn't find port: none"
    result, _ = against(lambda port, _: SystemHandler().ask(target(port), {"tcpSocket": {"port": 1}}, 1))
    assert result.message == "dial tcp 127.0.0.1:1: connect: connection refused"


@pytest.mark.parametrize(
    ("ip", "word", "meant"),
    [
        ("127.9.0.4", "curl http://localhost:8000/ok", "curl http://127.9.0.4:8000/ok"),
        ("127.9.0.4", "127.0.0.1:8000", "127.9.0.4:8000"),
        ("127.9.0.4", "localhost:80001", "localhost:80001"),
        ("127.9.0.4", "localhost:9000", "localhost:9000"),
        ("10.0.0.4", "localhost:8000", "localhost:8000"),
    ],
)
def test_a_health_command_means_its_own_pod(ip: str, word: str, meant: str) -> None:
    role = Role("main", {"name": "c", "ports": [{"containerPort": 8000}]})
    assert own_place(role, ip, word) == meant
