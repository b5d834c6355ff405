"""The keeper's own socket, its loop and its beginning.

In: one JSON line a request on a unix socket (bind, run, confirm, drop, status, stop). Out: one JSON line an answer,
and `{"event": "exit"}` lines.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time

from madang.gateway.keeper.inheritance import inherit
from madang.gateway.keeper.keeper import Keeper
from madang.gateway.keeper.record import NAME
from madang.gateway.keeper.sockets import listen_unix, remove, sweep
from madang.porch import standing
from madang.porch.process import signal_to

TYPE_CHECKING = False  # typing itself would cost a megabyte
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

UNCONFIRMED_S = 15.0


class Door:
    """The keeper's own socket and its loop."""

    def __init__(self, keeper: Keeper, path: str) -> None:
        self.keeper, self.path = keeper, path
        self.listener = listen_unix(path)
        self.poll = select.poll()
        self.wake, write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.poll.register(self.listener, select.POLLIN)
        self.poll.register(self.wake, select.POLLIN)
        keeper.tell = self.tell
        self.client: socket.socket | None = None
        self.buffer = b""

    def tell(self, value: dict[str, object]) -> None:
        if self.client is None:
            return
        try:
            self.client.sendall(json.dumps(value).encode() + b"\n")
        except OSError:
            self.hang_up()

    def hang_up(self) -> None:
        if self.client is not None:
            self.poll.unregister(self.client)
            self.client.close()
            self.client, self.buffer = None, b""

    def serve(self) -> None:
        keeper = self.keeper
        while keeper.stopping_until is None or keeper.pids():
            for fd, _ in self.poll.poll(self.patience_ms()):
                if fd == self.wake:
                    os.read(self.wake, 4096)
                elif fd == self.listener.fileno():
                    self.answer_the_door()
                elif self.client is not None and fd == self.client.fileno():
                    self.read()
            keeper.reap()
            now = time.monotonic()
            if keeper.pending and now >= keeper.pending.started + UNCONFIRMED_S:
                keeper.promote()  # whoever started it is gone, and it lives: it is the one to bring back
            if keeper.restart_at is not None and now >= keeper.restart_at and keeper.stopping_until is None:
                keeper.restart()
            if keeper.stopping_until is not None and now >= keeper.stopping_until:
                for pid in keeper.pids():
                    signal_to(pid, signal.SIGKILL)

    def patience_ms(self) -> int | None:
        pending = self.keeper.pending
        unconfirmed = pending.started + UNCONFIRMED_S if pending else None
        moments = [m for m in (self.keeper.restart_at, self.keeper.stopping_until, unconfirmed) if m is not None]
        return max(1, int((min(moments) - time.monotonic()) * 1000) + 1) if moments else None

    def answer_the_door(self) -> None:
        """The newest caller is the one: its predecessor is dead or about to be."""
        self.hang_up()
        self.client, _ = self.listener.accept()
        self.client.settimeout(5)
        self.poll.register(self.client, select.POLLIN)

    def read(self) -> None:
        assert self.client is not None
        try:
            data = self.client.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.hang_up()
            return
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        for line in lines:
            self.tell(self.obey(line))

    def obey(self, line: bytes) -> dict[str, object]:
        known: dict[str, Callable[..., dict[str, object]]] = {
            "bind": self.keeper.bind,
            "run": self.keeper.start,
            "confirm": self.keeper.confirm,
            "drop": self.keeper.drop,
            "status": self.keeper.status,
            "stop": self.keeper.stop,
        }
        try:
            request = json.loads(line)
            return {"ok": True, **known[request.pop("op")](**request)}
        except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
            return {"ok": False, "text": f"{type(error).__name__}: {error}"}


def main(program: str, run: str, *outside: str) -> None:
    """`run` is the courtyard's folder of sockets, `outside` where we stand (`standing.words`). Forks once: the caller
    has nobody to reap."""
    standing.believe(outside)
    keeper = Keeper(program, run)
    inherit(keeper)
    door = Door(keeper, os.path.join(run, "gateway.sock"))
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: keeper.stopping_until is None and keeper.stop(5.0))
    try:
        door.serve()
    finally:
        sweep(run, "")
        remove(door.path)
        remove(os.path.join(run, NAME))
