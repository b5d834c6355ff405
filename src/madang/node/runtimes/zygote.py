"""Our end of the zygote: keeps one running, sends it requests, and waits for answers without blocking the loop.

In: request dicts and descriptors. Out: the answers, and for an exec the socket on which its end is told.
A dead zygote is replaced at the next request; what it forked goes on.
"""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from madang.node.runtimes.monitor.request import ANY, FIRST, SMALL, pack, pack_head
from madang.porch import standing

SOURCES = Path(__file__).resolve().parents[3]  # the folder that holds the package `madang`
CODE = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from madang.node.runtimes.monitor.zygote import main; main(int(sys.argv[2]))"
)


class NoZygote(OSError):
    """The zygote went away before it answered."""


class Zygote:
    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._door: socket.socket | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.poll() is None else None

    def ready(self) -> None:
        """Start it if it isn't there (about 30 ms of another core's time; requests queue meanwhile)."""
        if self._door is not None and self.pid is not None:
            return
        self.close()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", CODE, str(SOURCES), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                env={},
            )
        self._door = ours

    async def open(self, request: Any, fds: Sequence[int] = ()) -> socket.socket:
        """Hand a request over; the answers come on the socket returned."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            try:
                self._knock(theirs.fileno(), word := word_for(request))
            except OSError:
                ours.close()
                raise
        message = pack(request) if word == ANY else pack_head(request) + pack(request)
        ours.setblocking(False)
        try:
            sent = socket.send_fds(ours, [message], list(fds)) if fds else ours.send(message)
            await asyncio.get_running_loop().sock_sendall(ours, message[sent:])
        except (BrokenPipeError, ConnectionResetError):
            pass  # it could not even fork, and has said why before it hung up
        except BaseException:
            ours.close()
            raise
        return ours

    def _knock(self, fd: int, word: bytes) -> None:
        for attempt in (1, 2):
            self.ready()
            assert self._door is not None
            try:
                socket.send_fds(self._door, [word], [fd])
                return
            except OSError:
                self.close()
                if attempt == 2:
                    raise

    async def ask(self, request: Any) -> dict[str, Any]:
        """One request, one answer. NoZygote: it died, and whether anything was begun must be looked up."""
        sock = await self.open(request)
        with sock:
            answer = await receive(sock)
        if answer is None:
            raise NoZygote("the zygote went away before it answered")
        return fault_free(answer)

    def close(self) -> None:
        """It ends by itself once its door is closed."""
        if self._door is not None:
            self._door.close()
            self._door = None
        if self._process is not None:
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


def word_for(request: Any) -> bytes:
    """Monitors that have a PID namespace to themselves stay small. The zygote makes it for them, but not through a
    user's namespace, nor inside one, where it could not come back to the PID namespace that it lives in."""
    walls = request.get("confinement") or {}
    if request.get("verb") != "run" or not walls.get("pids") or walls.get("user"):
        return ANY
    return SMALL if standing.inside() else FIRST


def fault_free(answer: dict[str, Any]) -> dict[str, Any]:
    if "fault" in answer:
        raise OSError(answer.get("errno") or 5, answer["fault"])
    return answer


async def receive(sock: socket.socket) -> dict[str, Any] | None:
    """The next message, None at the end."""
    head = await _exactly(sock, 4)
    if head is None:
        return None
    data = await _exactly(sock, int.from_bytes(head, "big"))
    if data is None:
        return None
    answer: dict[str, Any] = json.loads(data)
    return answer


async def receive_with(sock: socket.socket) -> tuple[dict[str, Any] | None, int]:
    """The next message and the descriptor that came with it; -1: none came."""
    while True:
        try:
            head, fds, _, _ = socket.recv_fds(sock, 4, 1, socket.MSG_CMSG_CLOEXEC)
            break
        except BlockingIOError:
            await _readable(sock)
        except ConnectionResetError:
            return None, -1
    fd = fds[0] if fds else -1
    rest = await _exactly(sock, 4 - len(head)) if len(head) < 4 else b""
    if rest is None or not head:
        return None, fd
    data = await _exactly(sock, int.from_bytes(head + rest, "big"))
    return (None if data is None else json.loads(data)), fd


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(sock, wake)
    try:
        await ready
    finally:
        loop.remove_reader(sock)


async def _exactly(sock: socket.socket, count: int) -> bytes | None:
    loop, data = asyncio.get_running_loop(), bytearray()
    while len(data) < count:
        try:
            chunk = await loop.sock_recv(sock, count - len(data))
        except ConnectionResetError:
            return None
        if not chunk:
            return None
        data += chunk
    return bytes(data)
