"""One HTTP GET as a kubelet's probe sends it.

In: address, port, the `httpGet` of the pod. Out: a `Result`; 200 to 399 is a success, redirects are followed on the
same host. Only the head of the answer is read. Certificates are not verified.
"""

import asyncio
import ssl
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from madang.node.probes.result import Result, dial_error
from madang.ports.objects import Obj

_REDIRECTS = 10
_HEAD_BYTES = 64 * 1024


class _Target(NamedTuple):
    scheme: str
    host: str
    port: int
    path: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}{self.path}"


async def http_get(ip: str, port: int, get: Obj) -> Result:
    """The caller cuts it off at the probe's timeout."""
    path = get.get("path") or "/"
    target = _Target(
        (get.get("scheme") or "HTTP").lower(), get.get("host") or ip, port, path if path.startswith("/") else f"/{path}"
    )
    headers = [(h["name"], h.get("value", "")) for h in get.get("httpHeaders") or ()]
    for _ in range(_REDIRECTS):
        try:
            status, location = await _ask(target, headers)
        except OSError as e:
            return Result(False, f'Get "{target}": {dial_error(e, target.host, target.port)}')
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            return Result(False, f'Get "{target}": EOF')
        if not (300 <= status < 400 and location):
            break
        try:
            moved = _follow(target, location)
        except ValueError as e:
            return Result(False, f'Get "{target}": failed to parse Location header {location!r}: {e}')
        if moved is None:  # to another host: that is somebody else's health
            return Result(True)
        target = moved
    else:
        return Result(False, f'Get "{target}": stopped after {_REDIRECTS} redirects')
    if 200 <= status < 400:
        return Result(True)
    return Result(False, f"HTTP probe failed with statuscode: {status}")


def _follow(target: _Target, location: str) -> _Target | None:
    """None: to another host. Raises ValueError for what is no URL that could be asked."""
    url = urlsplit(urljoin(str(target), location))
    if url.hostname != target.host:
        return None
    if url.scheme not in ("http", "https"):
        raise ValueError(f"unsupported protocol scheme {url.scheme!r}")
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    return _Target(url.scheme, target.host, url.port or (443 if url.scheme == "https" else 80), path)


async def _ask(target: _Target, headers: list[tuple[str, str]]) -> tuple[int, str]:
    """(status, Location)."""
    context = _unverified() if target.scheme == "https" else None
    reader, writer = await asyncio.open_connection(target.host, target.port, ssl=context, limit=_HEAD_BYTES)
    try:
        writer.write(_request(target, headers))
        await writer.drain()
        head = await _head(reader)
        status = int(head[0].split(" ", 2)[1])
        location = next(
            (line.split(":", 1)[1].strip() for line in head[1:] if line.lower().startswith("location:")), ""
        )
        return status, location
    except IndexError as e:
        raise ValueError("malformed HTTP response") from e
    finally:
        writer.close()


async def _head(reader: asyncio.StreamReader) -> list[str]:
    """The lines before the empty one. Some servers end theirs without a carriage return."""
    lines: list[str] = []
    size = 0
    while line := (await reader.readuntil(b"\n")).rstrip(b"\r\n"):
        lines.append(line.decode("latin-1"))
        size += len(line)
        if size > _HEAD_BYTES:
            raise ValueError("an endless head")
    return lines


def _request(target: _Target, headers: list[tuple[str, str]]) -> bytes:
    given = {name.lower() for name, _ in headers}
    usual = [("Host", f"{target.host}:{target.port}"), ("User-Agent", "kube-probe/1.36"), ("Accept", "*/*")]
    lines = [f"{n}: {v}" for n, v in [*(u for u in usual if u[0].lower() not in given), *headers] if v]
    return "\r\n".join([f"GET {target.path} HTTP/1.1", *lines, "Connection: close", "", ""]).encode("latin-1")


@lru_cache(maxsize=1)
def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
