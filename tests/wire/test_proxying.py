"""Requests through the API to a server of a pod: methods, paths, bodies, pages, and what cannot be reached."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from websockets.asyncio.client import unix_connect
from websockets.exceptions import InvalidStatus

from madang.api.direct import DirectApi
from madang.ports.errors import BadRequest
from madang.wire import certificates
from madang.wire.proxying import Aim, aim, allowed
from tests.api.house import pod
from tests.wire.doors import Client, doors

ROOT = "/api/v1/namespaces/default"


@pytest.mark.parametrize(
    ("path", "raw", "found"),
    [
        ("/pods/p/proxy", "", ("", "p", "", "")),
        ("/pods/p:80/proxy/", "", ("", "p", "80", "/")),
        ("/services/https:s:web/proxy/a b/c", "/services/https:s:web/proxy/a%20b/c", ("https", "s", "web", "/a%20b/c")),
    ],
)
def test_where_a_path_leads(path: str, raw: str, found: tuple[str, str, str, str]) -> None:
    seen = aim(ROOT + path, ROOT + raw if raw else "")
    assert isinstance(seen, Aim) and (seen.scheme, seen.name, seen.port, seen.path) == found


def test_what_is_no_such_path() -> None:
    assert aim(f"{ROOT}/pods/p/log", "") is None and aim("/api/v1/nodes/n/proxy/x/y/z", "") is None
    for name in ("a:b:c:d", "ftp:p:80", ":80"):
        with pytest.raises(BadRequest, match="invalid pod request"):
            aim(f"{ROOT}/pods/{name}/proxy", "")


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says what it was asked, as a page where the path says so; chunked, so that no length is known."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    line, *rest = head.strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (text.partition(": ") for text in rest)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    method, path, _ = line.split()
    media = b"text/html" if path == "/page" else b"text/plain"
    said = (
        b'<a href="/next">'
        if path == "/page"
        else f"{method} {path} {body.decode()} {headers.get('authorization')}".encode()
    )
    moved = b"location: /page\r\n" if path == "/moved" else b""
    writer.write(b"HTTP/1.1 %d Fine\r\ncontent-type: %s\r\n%s" % (302 if moved else 200, media, moved))
    writer.write(b"transfer-encoding: chunked\r\n\r\n")
    if method != "HEAD":
        writer.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(said), said))
    await writer.drain()
    writer.close()


def run(home: Path, test: Callable[[DirectApi, Client, int], Awaitable[None]]) -> None:
    async def main() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, doors(home) as (api, door):
            await api.create("pods", pod("p"))
            made = await api.get("pods", "default", "p")
            status = {"podIP": "127.0.0.1", "phase": "Running"}
            await api.update("pods", {**made, "status": status}, subresource="status")
            await test(api, Client(door), port)

    asyncio.run(main())


def test_every_method_reaches_the_pod(tmp_path: Path) -> None:
    async def check(api: DirectApi, client: Client, port: int) -> None:
        at = f"{ROOT}/pods/p:{port}/proxy"
        for method in ("GET", "DELETE", "OPTIONS", "PATCH", "POST", "PUT"):
            body = "x" * 300_000 if method in ("POST", "PUT") else None
            got = await client(method, f"{at}/some/path%20x?a=b&a=c", body, {"Authorization": "Bearer secret"})
            assert got.status == 200 and got.raw.decode() == f"{method} /some/path%20x?a=b&a=c {body or ''} None"
        assert (await client("HEAD", f"{at}/x")).status == 200
        assert (await client("POST", at)).raw.startswith(b"POST / ")
        there = await client("GET", f"{at}?a=b")
        assert there.status == 301 and there.headers["location"] == f"{at}/?a=b"

    run(tmp_path, check)


def test_https_without_a_certificate_that_anybody_knows(tmp_path: Path) -> None:
    async def check(api: DirectApi, client: Client, port: int) -> None:
        made = certificates.ensure(tmp_path / "other", ["127.0.0.1"], time.time())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(made.server)
        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
        async with server:
            number = server.sockets[0].getsockname()[1]
            got = await client("GET", f"{ROOT}/pods/https:p:{number}/proxy/x")
            assert got.status == 200 and got.raw.startswith(b"GET /x ")
            plain = await client("GET", f"{ROOT}/pods/p:{number}/proxy/x")
            assert plain.status == 503

    run(tmp_path, check)


def test_links_and_redirects_lead_through_the_proxy_again(tmp_path: Path) -> None:
    async def check(api: DirectApi, client: Client, port: int) -> None:
        at = f"{ROOT}/pods/http:p:{port}/proxy"
        assert (await client("GET", f"{at}/page")).raw.decode() == f'<a href="{at}/next">'
        moved = await client("GET", f"{at}/moved")
        assert moved.status == 302 and moved.headers["location"] == f"{at}/page"

    run(tmp_path, check)


def test_a_service_leads_to_a_ready_endpoint(tmp_path: Path) -> None:
    async def check(api: DirectApi, client: Client, port: int) -> None:
        ports = [{"name": "web", "port": 80}, {"name": "other", "port": 81}]
        await api.create("services", {"metadata": {"name": "s", "namespace": "default"}, "spec": {"ports": ports}})
        none = await client("GET", f"{ROOT}/services/s:web/proxy/")
        assert none.status == 503 and none.body["message"] == 'no endpoints available for service "s"'
        unready = {"addresses": ["127.0.0.9"], "conditions": {"ready": False}}
        ready = {"addresses": ["127.0.0.1"], "conditions": {"ready": True}}
        meta = {"name": "s-1", "namespace": "default", "labels": {"kubernetes.io/service-name": "s"}}
        numbers = [{"name": "web", "port": port}]
        body = {"metadata": meta, "addressType": "IPv4", "ports": numbers, "endpoints": [unready, ready]}
        await api.create("endpointslices.discovery.k8s.io", body)
        for name in ("s:web", "s:80", "http:s:web"):
            assert (await client("GET", f"{ROOT}/services/{name}/proxy/x")).raw.startswith(b"GET /x ")
        assert (await client("GET", f"{ROOT}/services/s:81/proxy/x")).status == 503
        assert (await client("GET", f"{ROOT}/services/s:82/proxy/x")).body["message"].startswith("no service port 82")

    run(tmp_path, check)


def test_what_cannot_be_reached_is_said(tmp_path: Path) -> None:
    async def check(api: DirectApi, client: Client, port: int) -> None:
        missing = await client("GET", f"{ROOT}/pods/none:1/proxy/")
        assert missing.status == 404 and missing.body["message"] == 'pods "none" not found'
        closed = await client("GET", f"{ROOT}/pods/p:1/proxy/")
        assert closed.status == 503 and closed.body["message"].startswith("error trying to reach service: ")
        assert (await client("GET", f"{ROOT}/pods/p:web/proxy/")).status == 400

    run(tmp_path, check)


def test_where_nobody_is_led() -> None:
    assert allowed("10.88.0.5", "bridge") and allowed("127.80.0.5", "loopback") and allowed("192.168.0.7", "bridge")
    for host in ("127.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "localhost", "::1", ""):
        assert not allowed(host, "bridge")
    assert not allowed("169.254.169.254", "loopback")


def test_a_prefix_is_never_decoded() -> None:
    seen = aim(
        "/api/v1/namespaces/a\r\nset-cookie: x/pods/p/proxy", "/api/v1/namespaces/a%0d%0aset-cookie:%20x/pods/p/proxy"
    )
    assert seen is not None and seen.prefix == "/api/v1/namespaces/a%0d%0aset-cookie:%20x/pods/p/proxy"
    assert seen.namespace == "a\r\nset-cookie: x"
    assert aim(f"{ROOT}/pods/p/proxy/x", f"{ROOT}/pods/p%2Fproxy/x") is None


def test_what_is_refused_or_kept_back_at_the_door(tmp_path: Path) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Says its headers in a page, and stays open whatever was asked."""
        head = await reader.readuntil(b"\r\n\r\n")
        more = b"connection: close, x-own\r\nx-own: secret\r\ncontent-type: text/html\r\n"
        writer.write(b"HTTP/1.1 200 OK\r\n%scontent-length: %d\r\n\r\n%s" % (more, len(head), head))
        await reader.read()
        writer.close()

    async def check(api: DirectApi, client: Client, port: int) -> None:
        for number in ("99999", "0", "\u00b2"):
            assert (await client("GET", f"{ROOT}/pods/p:{quote(number)}/proxy/")).status == 400
        async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
            at = f"{ROOT}/pods/p:{server.sockets[0].getsockname()[1]}/proxy"
            given = {"Connection": "keep-alive, X-Mine", "X-Mine": "1", "X-Forwarded-Host": "evil", "X-Kept": "2"}
            got = await client("GET", f"{at}/", None, given)
            said = got.raw.decode().lower()
            assert "x-kept: 2" in said and "x-mine" not in said and "evil" not in said
            assert "x-own" not in got.headers
        meta = await api.get("pods", "default", "p")
        await api.update("pods", {**meta, "status": {**meta["status"], "podIP": "169.254.1.1"}}, subresource="status")
        refused = await client("GET", f"{ROOT}/pods/p:{port}/proxy/")
        assert refused.status == 400 and "169.254.1.1" in refused.body["message"]

    run(tmp_path, check)


def test_a_request_that_cannot_be_said_again_is_refused(tmp_path: Path) -> None:
    """It was waited for without an end: nothing was asked of the pod."""

    async def check(api: DirectApi, client: Client, port: int) -> None:
        reader, writer = await asyncio.open_unix_connection(client.door.socket)
        target = f"{ROOT}/pods/p:{port}/proxy/?a=".encode() + b"\xe9"
        writer.write(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % target)
        async with asyncio.timeout(10):
            assert (await reader.readline()).split()[1] == b"400"
        writer.close()

    run(tmp_path, check)


def test_an_upgrade_is_refused_by_name(tmp_path: Path) -> None:
    async def check(api: DirectApi, client: Client, port: int) -> None:
        with pytest.raises(InvalidStatus) as refused:
            async with unix_connect(str(client.door.socket), f"ws://localhost{ROOT}/pods/p:{port}/proxy/"):
                pass
        answer = refused.value.response
        assert answer.status_code == 400 and b"not passed on by `proxy`" in (answer.body or b"")

    run(tmp_path, check)
