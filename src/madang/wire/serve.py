"""The API's doors, opened and closed: a unix socket for the house, HTTPS for everybody with a token.

In: the API, settings, who gives streams and samples. Out: a `Door` with the addresses, the CA and the kubeconfig.
It runs on the loop of whoever opens it (a thread of somebody else's process too), sets no signal handler and no
global.

    async with serve(api, streams=node, samples=node) as door: ...
"""

import asyncio
import contextlib
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from madang.api import always, lasting
from madang.api.direct import DirectApi
from madang.api.tokens import Tokens
from madang.haproxy import binary
from madang.loops.recorder import Recorder
from madang.ports.actions import Emit
from madang.ports.errors import Unavailable
from madang.ports.settings import Settings
from madang.ports.streams import PodStreams, Samples
from madang.wire import certificates, kubeconfig
from madang.wire.app import App
from madang.wire.authn import Doorkeeper
from madang.wire.front import Front
from madang.wire.gone import Gone
from madang.wire.listening import BACKLOG, HERE, REMEMBERED, listen
from madang.wire.protocol import Protocol

log = logging.getLogger("madang.wire")
RENEWAL_CHECK_S = 12 * 3600.0
PATIENCE_S = 600.0  # with a client of a WebSocket that gives no sign of life
LEAVING_S = 1.0  # that open requests get when the doors close, and as much again to notice that they were cut off


@dataclass(frozen=True, slots=True)
class Door:
    socket: Path  # trusting: whoever opens it is the admin
    url: str  # https://127.0.0.1:PORT
    port: int
    ca: Path
    ca_pem: str
    token: str
    kubeconfig: Path
    closed: str = ""  # why pods cannot reach the API


@asynccontextmanager
async def serve(
    api: DirectApi,
    *,
    streams: PodStreams | None = None,
    samples: Samples | None = None,
    port: int = 0,
    namespace: str = "default",
) -> AsyncIterator[Door]:
    """`port` 0: the one of the last time, if it is free. Makes sure of what a cluster always has."""
    desk, settings = api.desk, api.desk.settings
    settings.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = certificates.ensure(settings.home / "pki", _addresses(settings), desk.clock.now_s())
    desk.tokens = Tokens.at(settings.home / "pki" / "tokens.key")
    desk.samples = samples or desk.samples
    desk.ca_pem = found.ca_pem
    closing = asyncio.Event()
    async with AsyncExitStack() as stack:
        listening = listen(settings, port)
        for sock in listening.sockets:
            stack.enter_context(contextlib.closing(sock))
        await always.ensure(desk, listening.address, listening.port_for_pods)
        token = _token(settings.home / "admin.token")
        inner, outer = settings.run / "api.sock", settings.run / "door.sock"
        await stack.enter_async_context(_http(App(desk, streams, None, closing), _unix(inner)))
        address = f"{HERE}:{listening.port}"
        guarded = App(desk, streams, Doorkeeper(desk, token), closing, address)
        await stack.enter_async_context(_secure(guarded, listening.sockets, found, outer, desk.clock.now_s, settings))
        stack.callback(_remove, inner, outer)
        url = f"https://{address}"
        (settings.home / REMEMBERED).write_text(str(listening.port))
        config = settings.home / "kubeconfig"
        kubeconfig.write(config, kubeconfig.document(settings.name, url, found.ca_pem, token, namespace))
        await stack.enter_async_context(_beside(lasting.keep(desk, listening.address, listening.port_for_pods)))
        if listening.closed:
            await stack.enter_async_context(_beside(_tell(api, listening.closed)))
        stack.callback(closing.set)  # first of all: who watches must let go
        yield Door(inner, url, listening.port, found.ca, found.ca_pem, token, config, listening.closed)


@asynccontextmanager
async def _secure(
    app: App,
    listening: Sequence[socket.socket],
    found: certificates.Certificates,
    outer: Path,
    now_s: Any,
    settings: Settings,
) -> AsyncIterator[None]:
    """HAProxy takes the TLS off where there is one; else uvicorn does it itself, slower."""
    try:
        program = await asyncio.to_thread(binary.find)
    except binary.NoHAProxy:
        async with _http(app, *listening, certificate=found.server):
            yield
        return
    door = _unix(outer)  # before HAProxy, which is the last to go: it still carries the ends of streams
    front = Front(program, listening, found.server, outer, settings.run)
    async with front, _http(app, door) as server, _beside(_renew(front, found, settings, now_s)):
        app.look = Gone(front.control, lambda: front.pid, lambda: server.server_state.connections).look
        yield


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Work without an end, as long as the block lasts."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _tell(api: DirectApi, closed: str) -> None:
    """The log has it, and an event of the Service that leads nowhere."""
    log.error("%s", closed)
    recorder = Recorder(api, api.desk.clock, "apiserver")
    service = api.view.get("services", "default", "kubernetes")
    if service is not None:
        recorder.record(Emit("services", service, "Warning", "PortNotOpened", closed))
    await recorder.run()


async def _renew(front: Front, found: certificates.Certificates, settings: Settings, now_s: Any) -> None:
    """Twice a day: a certificate that nears its end is replaced, and no connection notices."""
    while True:
        await asyncio.sleep(RENEWAL_CHECK_S)
        try:
            before = found.server.stat().st_mtime_ns
            certificates.ensure(found.ca.parent, _addresses(settings), now_s())
            if found.server.stat().st_mtime_ns != before:
                await front.renew()
        except OSError as error:  # a full disk, say: there are months to try again
            log.warning("the API's certificate could not be renewed: %s", error)


class _Server(uvicorn.Server):
    """Without the tick of a tenth of a second: the only thing that it is for here is hearing of the end."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        self.should_exit = True
        self._leaving.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self._leaving.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Who has not gone by then, since it takes nothing, is cut off: its request ends as when a client leaves.
        (The tasks would be cancelled else, and a traceback be logged for each.)"""
        cut = asyncio.get_running_loop().call_later(LEAVING_S, self._cut)
        try:
            await super().shutdown(sockets)
        finally:
            cut.cancel()

    def _cut(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to whoever runs the loop."""
        yield


@asynccontextmanager
async def _http(app: App, *socks: socket.socket, certificate: Path | None = None) -> AsyncIterator[_Server]:
    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        # Its answer is not read while a program does not take the client's input: so long may that last.
        ws_ping_interval=20.0,
        ws_ping_timeout=PATIENCE_S,
        loop="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=300,
        timeout_graceful_shutdown=round(2 * LEAVING_S),
        backlog=BACKLOG,
        ssl_certfile=str(certificate) if certificate else None,
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=list(socks)))
    try:
        while not server.started:
            if running.done():
                running.result()
                raise Unavailable("the API's HTTP server ended before it began")
            await asyncio.sleep(0.001)
        yield server
    finally:
        server.leave()
        await running


def _unix(path: Path) -> socket.socket:
    """A listening socket that only its owner can open."""
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        sock.bind(str(path))
    finally:
        os.umask(before)
    sock.listen(BACKLOG)
    sock.setblocking(False)
    return sock


def _addresses(settings: Settings) -> list[str]:
    first = always.kubernetes_address(settings)
    return [first, settings.addresses.gateway_ip]


def _token(path: Path) -> str:
    """The admin's; whole or not at all, since an empty one would lock everybody out."""
    if not path.exists() or not path.read_text().strip():
        fresh = path.with_name(f"{path.name}.new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
        fresh.replace(path)
    return path.read_text().strip()


def _remove(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
