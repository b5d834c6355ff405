"""The dashboard's door, opened and closed: plain HTTP on 127.0.0.1, on a port that is kept.

In: the courtyard's home and what the page is made of. Out: an address. Until the first request there is a listening
socket and nothing else: pages, templates and their libraries are loaded, in a thread, when somebody comes.

    async with serve(sources, settings.home) as url: ...
"""

import asyncio
import contextlib
import hashlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from madang.porch import standing
from madang.ports.errors import Unavailable
from madang.web.keys import Keys
from madang.web.sources import Sources

if TYPE_CHECKING:
    from madang.web.app import App

PORT_FILE = "dashboard.port"
PORTS = range(28000, 32000)  # below what kernels give to clients
TRIES = 8
BACKLOG = 64
LEAVING_S = 1.0


@asynccontextmanager
async def serve(sources: Sources, home: Path) -> AsyncIterator[str]:
    sock = listen(home)
    port = sock.getsockname()[1]
    with contextlib.suppress(OSError):  # a full disk is no reason not to start
        (home / PORT_FILE).write_text(str(port))
    keys = Keys.at(home)
    door = Door(sources, keys, home, port)
    config = uvicorn.Config(
        door, http="httptools", ws="none", lifespan="off", log_config=None, access_log=False, server_header=False,
        date_header=False, proxy_headers=False, timeout_keep_alive=30,
    )  # fmt: skip
    config.load()
    state = ServerState()
    state.default_headers = config.encoded_headers
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: HttpToolsProtocol(config=config, server_state=state, app_state={}, _loop=loop),
        sock=sock,
        backlog=BACKLOG,
    )
    try:
        yield f"http://127.0.0.1:{port}{keys.path}"
    finally:
        server.close()
        await door.close()
        for connection in list(state.connections):
            connection.shutdown()
        if state.tasks:
            await asyncio.wait(list(state.tasks), timeout=LEAVING_S)


class Door:
    """Loads the application for the first who comes; others that come meanwhile wait for it."""

    def __init__(self, sources: Sources, keys: Keys, home: Path, port: int) -> None:
        self._given = sources, keys, home, port
        self._app: App | None = None
        self._loading = asyncio.Lock()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async with self._loading:
            if self._app is None:
                made = await asyncio.to_thread(load)
                self._app = made(*self._given)
        await self._app(scope, receive, send)

    async def close(self) -> None:
        if self._app is not None:
            await self._app.close()


def load() -> "type[App]":
    """Not on the loop's thread: a tenth of a second of imports and templates."""
    from madang.web.app import App
    from madang.web.fragments import warm

    warm()
    return App


def listen(home: Path) -> socket.socket:
    """The last port, else one of the courtyard's own, else any."""
    last: list[int] = []
    with contextlib.suppress(OSError, ValueError):
        last = [int((home / PORT_FILE).read_text())]
    for number in (*last, *own_ports(home), 0):
        with contextlib.suppress(OSError):
            sock = standing.listen("127.0.0.1", number, BACKLOG)  # only who listens has the port for sure
            sock.setblocking(False)
            return sock
    raise Unavailable("no port could be opened for the dashboard")


def own_ports(home: Path) -> list[int]:
    """Nobody else would try these first: a port that is free for a moment, while the control process starts anew, is
    not taken by the next courtyard that starts, and open pages find it again."""
    digest = hashlib.sha256(str(home).encode()).digest()
    return [PORTS[int.from_bytes(digest[n : n + 2], "big") % len(PORTS)] for n in range(0, 2 * TRIES, 2)]
