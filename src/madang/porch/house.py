"""The porch itself: two processes of one fork, of which either brings the other back.

In: one JSON line a connection on a unix socket (namespaces, listen, listening, status, stop). Out: one JSON line, and
descriptors. The front one answers; the back one waits, holds the same namespaces and socket, and forks another when the
front one is killed. A front one whose back is killed forks another front and becomes the back. Nothing is kept but
descriptors and `porch.json`, which names the way out, so that whoever comes back goes on where it stood.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys

from madang.porch import namespaces
from madang.porch.listening import listening
from madang.porch.out import WayOut
from madang.porch.process import signal_to, started_ticks
from madang.porch.standing import SOCKET, opened
from madang.porch.unix import listen_unix, remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

FORMAT = 1
PATIENCE_S = 5.0  # with a client that connects and says nothing


class Porch:
    """The front one. `back` is readable once the back one is gone."""

    def __init__(self, run: str, listener: socket.socket, held: list[int], back: int) -> None:
        self.run, self.listener, self.held, self.back = run, listener, held, back
        self.out = WayOut(run, held)
        self.over = False

    def serve(self) -> bool:
        """True: over. False: the back one is gone."""
        self.out.open()
        while not self.over:
            poll = select.poll()
            for fd in (self.listener.fileno(), self.back, *self.out.watched()):
                poll.register(fd, select.POLLIN)
            ready = {fd for fd, _ in poll.poll(self.out.patience_ms())}
            if self.listener.fileno() in ready:
                self.answer()
            self.out.look()
            if self.back in ready and not self.over:
                return False
        self.out.close()
        return True

    def answer(self) -> None:
        try:
            asker, _ = self.listener.accept()
        except OSError:
            return
        with asker:
            asker.settimeout(PATIENCE_S)
            fds: list[int] = []
            lent: list[socket.socket] = []
            try:
                with asker.makefile("rb") as lines:
                    request = json.loads(lines.readline(65536))
                answer = self.obey(request, fds, lent)
            except OSError as error:
                answer = {"ok": False, "errno": error.errno or 5, "text": error.strerror or str(error)}
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                answer = {"ok": False, "errno": 22, "text": f"{type(error).__name__}: {error}"}
            try:
                socket.send_fds(asker, [json.dumps(answer).encode() + b"\n"], fds)
            except OSError:
                pass
            finally:
                for one in lent:
                    one.close()

    def obey(self, request: Mapping[str, Any], fds: list[int], lent: list[socket.socket]) -> dict[str, object]:
        match request["op"]:
            case "namespaces":
                fds += self.held
                return {"ok": True, "format": FORMAT}
            case "listen":
                made = opened(request["host"], request["port"], request["backlog"], reuse_port=request["reuse_port"])
                lent.append(made)
                fds.append(made.fileno())
                return {"ok": True}
            case "listening":
                return {"ok": True, "held": listening(request["port"])}
            case "status":
                return {"ok": True, "format": FORMAT, "pid": os.getpid(), **self.out.told()}
            case "stop":
                self.over = True
                return {"ok": True, "pids": [os.getpid(), os.getppid()]}
            case unknown:
                raise ValueError(f"no such request: {unknown}")


def live(run: str, listener: socket.socket, held: list[int]) -> None:
    """Back or front, until it is over."""
    while True:
        mine, theirs = os.pipe()  # its end is told to the front by the kernel, however the back ends
        front = os.fork()
        if front:
            os.close(mine)
            ended = os.waitstatus_to_exitcode(os.waitpid(front, 0)[1])
            os.close(theirs)
            if ended == 0:
                return
            continue
        os.close(theirs)
        over = Porch(run, listener, held, mine).serve()
        os.close(mine)
        if over:
            os._exit(0)


def main(run: str, *living: str) -> None:
    """`run` is the courtyard's folder of sockets; `living` a process inside, where an earlier porch is gone. Forks
    once: the caller has nobody to reap."""
    try:
        held = namespaces.of(int(living[0])) if living else namespaces.make()
        path = os.path.join(run, SOCKET)
        listener = listen_unix(path)
    except OSError as error:
        sys.stderr.write(f"{error.strerror or error}\n")
        os._exit(1)
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    live(run, listener, held)
    remove(path)


def end(run: str) -> None:
    """SIGKILL to what a porch that does not answer has left: its way out, by its record."""
    from madang.porch.out import NAME

    try:
        with open(os.path.join(run, NAME), encoding="utf-8") as file:
            kept = json.load(file)
        if kept["pid"] and started_ticks(kept["pid"]) == kept["ticks"]:
            signal_to(kept["pid"], signal.SIGKILL)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    remove(os.path.join(run, NAME))
    remove(os.path.join(run, SOCKET))
