"""HTTP through the API to a pod or a Service: the subresource `proxy`, with any method and path.

In: /api/v1/namespaces/NS/{pods,services}/[SCHEME:]NAME[:PORT]/proxy[/PATH]. Out: what is answered there, streamed; of
pages and redirects the addresses are rewritten, so that links lead through the proxy again (`rewriting`). Of a Service
a ready endpoint is asked. Certificates are not verified, as a cluster's API server does not. Nobody is led by this door
to addresses that are no pod's (`allowed`), and the token stays here.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Iterator
from functools import cache
from ipaddress import AddressValueError, IPv4Address
from typing import NamedTuple
from urllib.parse import unquote

import h11

from madang.api import errors
from madang.api.desk import Desk
from madang.api.resources import resource
from madang.api.view import StoreView
from madang.ports.errors import BadRequest, StatusError, Unavailable
from madang.ports.objects import Key, Obj
from madang.wire import answer, impersonation, rewriting
from madang.wire.answer import Receive, Send
from madang.wire.request import Request

DIAL_S = 30.0
CHUNK = 64 * 1024
PAGE_BYTES = 8 * 1024 * 1024  # of a page that is rewritten: a larger one is passed on as it is
_HOP = frozenset({"connection", "keep-alive", "proxy-connection", "proxy-authenticate", "te", "trailer", "trailers",
                  "transfer-encoding", "upgrade"})  # fmt: skip
_OURS = frozenset({"authorization", "host", "expect", "x-forwarded-host", "x-forwarded-uri", *impersonation.HEADERS})
_SLICES = "endpointslices.discovery.k8s.io"
_OF_SERVICE = "kubernetes.io/service-name"


class Aim(NamedTuple):
    """`prefix` is the path up to `/proxy`, `path` what follows it (with its `/`; empty where nothing does)."""

    plural: str
    namespace: str
    scheme: str
    name: str
    port: str
    prefix: str
    path: str


class Place(NamedTuple):
    host: str
    port: int
    tls: bool


def aim(path: str, raw_path: str) -> Aim | None:
    """None where it is no such path. What the server behind is asked for, and the prefix that answers name, stay as the
    client wrote them: decoded they could end a header's line."""
    raw = (raw_path or path).split("/")
    parts = [unquote(part) for part in raw[:8]]
    if len(parts) < 8 or parts[1:4] != ["api", "v1", "namespaces"] or parts[7] != "proxy":
        return None
    if parts[5] not in ("pods", "services"):
        return None
    match parts[6].split(":"):
        case [name]:
            scheme = port = ""
        case [name, port]:
            scheme = ""
        case [scheme, name, port]:
            pass
        case _:
            scheme = name = port = ""
    if not name or scheme not in ("", "http", "https"):
        raise BadRequest(f"invalid {parts[5].removesuffix('s')} request {parts[6]!r}")
    rest = f"/{'/'.join(raw[8:])}" if len(raw) > 8 else ""
    return Aim(parts[5], parts[4], scheme, name, port, "/".join(raw[:8]), rest)


async def send(desk: Desk, request: Request, found: Aim, receive: Receive, send: Send) -> None:
    if not found.path and request.method in ("GET", "HEAD"):
        query = f"?{request.raw_query}" if request.raw_query else ""
        moved = [(b"location", f"{found.prefix}/{query}".encode("latin-1", "replace"))]
        await answer.send_bytes(send, 301, b"", media="text/plain", extra=moved)
        return
    place = of_pod(desk, found) if found.plural == "pods" else of_service(desk, found)
    if not allowed(place.host, desk.settings.addresses.network):
        raise BadRequest(f"the address {place.host} of {found.name} is none that the API asks for others")
    try:
        async with asyncio.timeout(DIAL_S):
            reader, writer = await asyncio.open_connection(*place[:2], ssl=_unverified() if place.tls else None)
    except (OSError, TimeoutError) as error:
        raise _unreachable(str(error) or "timed out") from error
    try:
        await Passage(request, found, place, reader, writer).run(receive, send)
    except (OSError, h11.RemoteProtocolError, asyncio.IncompleteReadError) as error:
        raise _unreachable(str(error)) from error
    finally:
        writer.close()


def allowed(host: str, network: str) -> bool:
    """Statuses and slices are written by others, and the API stands where it reaches what a pod cannot: services of the
    machine's own loopback, an address that tells secrets of a cloud's machine."""
    try:
        address = IPv4Address(host)
    except AddressValueError:
        return False
    special = address.is_link_local or address.is_multicast or address.is_unspecified
    return not special and not (address.is_loopback and network == "bridge")


def of_pod(desk: Desk, found: Aim) -> Place:
    """Without a port its first declared one, else the scheme's."""
    entry = desk.store.get(Key("pods", found.namespace, found.name))
    if entry is None:
        raise errors.not_found(resource("pods").row, found.name)
    pod = entry.obj
    ip = (pod.get("status") or {}).get("podIP", "")
    if not ip:
        raise BadRequest(f"pod {found.name} has no address yet")
    declared = [p["containerPort"] for c in pod["spec"].get("containers") or () for p in c.get("ports") or ()]
    if found.port and not (found.port.isdecimal() and found.port.isascii() and 0 < int(found.port[:6]) < 65536):
        raise BadRequest(f"invalid pod request {found.name}:{found.port}: a port of a pod is a number here")
    tls = found.scheme == "https"
    return Place(ip, int(found.port) if found.port else declared[0] if declared else 443 if tls else 80, tls)


def of_service(desk: Desk, found: Aim) -> Place:
    entry = desk.store.get(Key("services", found.namespace, found.name))
    if entry is None:
        raise errors.not_found(resource("services").row, found.name)
    port = _port_name(entry.obj, found)
    ready = list(_endpoints(desk, found, port))
    if not ready:
        raise Unavailable(f'no endpoints available for service "{found.name}"')
    host, number = ready[int(desk.chance.random() * len(ready))]
    return Place(host, number, found.scheme == "https")


def _port_name(service: Obj, found: Aim) -> str:
    ports = service["spec"].get("ports") or []
    if not found.port:
        return str(ports[0].get("name", "")) if len(ports) == 1 else ""
    for port in ports:
        if found.port == str(port["port"]):
            return str(port.get("name", ""))
    if found.port.isdigit():
        raise Unavailable(f'no service port {found.port} found for service "{found.name}"')
    return found.port


def _endpoints(desk: Desk, found: Aim, port: str) -> Iterator[tuple[str, int]]:
    for one in StoreView(desk.store).list(_SLICES, found.namespace, labels={_OF_SERVICE: found.name}):
        numbers = [p["port"] for p in one.get("ports") or () if p.get("name", "") == port and p.get("port")]
        for endpoint in one.get("endpoints") or ():
            if (endpoint.get("conditions") or {}).get("ready", True):
                yield from ((address, int(n)) for n in numbers for address in endpoint.get("addresses") or ())


class Passage:
    """One request and its answer."""

    def __init__(
        self, request: Request, found: Aim, place: Place, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._request, self._found, self._place = request, found, place
        self._reader, self._writer = reader, writer
        self._http = h11.Connection(h11.CLIENT)

    async def run(self, receive: Receive, send: Send) -> None:
        """An answer may come before the request has gone wholly."""
        try:
            head = self._head()
        except (h11.LocalProtocolError, UnicodeError) as error:
            raise BadRequest(f"this request cannot be passed on: {error}") from error
        asking = asyncio.create_task(self._ask(head, receive))
        try:
            await self._answer(send)
        finally:
            asking.cancel()
            await asyncio.wait({asking})

    def _head(self) -> h11.Request:
        target = self._found.path or "/"
        target += f"?{self._request.raw_query}" if self._request.raw_query else ""
        return h11.Request(method=self._request.method, target=target, headers=self._headers())

    async def _ask(self, head: h11.Request, receive: Receive) -> None:
        with contextlib.suppress(OSError):  # what it said before it closed is still read
            self._writer.write(self._http.send(head) or b"")
            while (message := await receive())["type"] != "http.disconnect":
                if message.get("body"):
                    self._writer.write(self._http.send(h11.Data(data=message["body"])) or b"")
                if not message.get("more_body"):
                    self._writer.write(self._http.send(h11.EndOfMessage()) or b"")
                await self._writer.drain()
            self._writer.transport.abort()

    def _headers(self) -> list[tuple[str, str]]:
        given = self._request.headers
        dropped = _HOP | _OURS | {name.strip().lower() for name in given.get("connection", "").split(",")}
        if "transfer-encoding" in given:
            dropped |= {"content-length"}  # one says where the body ends, never both
        kept = [(n, v) for n, v in given.items() if n not in dropped]
        host = given.get("host") or f"{self._place.host}:{self._place.port}"
        chunked = [("transfer-encoding", "chunked")] if "transfer-encoding" in given else []
        forwarded = [("x-forwarded-host", host), ("x-forwarded-uri", f"{self._found.prefix}{self._found.path}")]
        return [("host", host), *kept, *chunked, *forwarded, ("connection", "close")]

    async def _event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._reader.read(CHUNK))
        return event

    async def _answer(self, send: Send) -> None:
        while isinstance(head := await self._event(), h11.InformationalResponse):
            pass
        if not isinstance(head, h11.Response):
            raise h11.RemoteProtocolError("no answer came")
        named = (bytes(v).decode("latin-1").lower().split(",") for n, v in head.headers if n == b"connection")
        dropped = _HOP.union(name.strip() for names in named for name in names)
        headers = [(bytes(n), bytes(v)) for n, v in head.headers if n.decode() not in dropped]
        own = f"{self._place.host}:{self._place.port}"
        rewritten = rewriting.address
        headers = [
            (n, rewritten(v.decode("latin-1"), self._found.prefix, own).encode("latin-1") if n == b"location" else v)
            for n, v in headers
        ]
        first, whole = b"", False
        if _page(headers):
            first, whole = await self._collected()
            if whole:
                first = rewriting.page(first.decode("latin-1"), self._found.prefix).encode("latin-1")
                if self._request.method != "HEAD":
                    headers = [h for h in headers if h[0] != b"content-length"]
                    headers.append((b"content-length", b"%d" % len(first)))
        await send({"type": "http.response.start", "status": head.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": first, "more_body": True})
        while not whole and isinstance(event := await self._event(), h11.Data):
            await send({"type": "http.response.body", "body": bytes(event.data), "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _collected(self) -> tuple[bytes, bool]:
        """The page, and whether that is all of it."""
        parts = bytearray()
        while len(parts) <= PAGE_BYTES:
            event = await self._event()
            if not isinstance(event, h11.Data):
                return bytes(parts), True
            parts += event.data
        return bytes(parts), False


def _page(headers: list[tuple[bytes, bytes]]) -> bool:
    """What is packed is passed on as it is."""
    found = dict(headers)
    return found.get(b"content-type", b"").startswith(b"text/html") and b"content-encoding" not in found


def _unreachable(why: str) -> StatusError:
    return Unavailable(f"error trying to reach service: {why}")


@cache
def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
