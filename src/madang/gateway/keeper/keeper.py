"""Who serves, who is to take its place, who finishes and who is brought back: the keeper's book of workers.

In: what is asked for (the public verbs' names are the protocol's), and children that end. Out: workers started and
told to go, answers, events by `tell`.
"""

from __future__ import annotations

import errno
import os
import signal
import time

from madang.gateway.keeper.record import FORMAT, write_down
from madang.gateway.keeper.sockets import listen, listen_unix, sweep
from madang.gateway.keeper.worker import Worker, spawn, tail
from madang.porch.process import signal_to, started_ticks

TYPE_CHECKING = False  # typing itself would cost a megabyte
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Any

OLD_WORKERS = 8  # so many may finish their connections at one time; the oldest is asked to hurry
RESTART_AFTER_S = (0.0, 0.1, 0.5, 1.0, 5.0)  # a worker that keeps dying is brought back more slowly
LONG_LIFE_S = 10.0


class Keeper:
    def __init__(self, program: str, run: str) -> None:
        self.program, self.run = program, run
        self.sockets: dict[str, tuple[socket.socket, str, int]] = {}  # name -> (socket, host, port)
        self.admins: dict[str, socket.socket] = {}  # path -> socket, one a configuration
        self.current: Worker | None = None
        self.pending: Worker | None = None  # started, not yet known to serve
        self.dead: Worker | None = None  # served last; to be brought back unless a pending one takes its place
        self.old: list[Worker] = []  # finishing their connections
        self.foreign: list[tuple[int, int]] = []  # (pid, ticks): workers of a keeper that died, not ours to reap
        self.deaths = 0
        self.restart_at: float | None = None  # only with `dead`
        self.stopping_until: float | None = None
        self.tell: Callable[[dict[str, object]], None] = lambda value: None

    # what is asked for

    def bind(self, binds: list[dict[str, Any]]) -> dict[str, object]:
        opened, failed = [], []
        for one in binds:
            if one["name"] in self.sockets:
                opened.append(one["name"])
                continue
            try:
                held = listen(one["host"], one["port"], one["own"], outside=not one.get("inside", one["own"]))
                self.sockets[one["name"]] = (held, one["host"], one["port"])
                opened.append(one["name"])
            except OSError as error:
                code = errno.errorcode.get(error.errno or 0, "")
                failed.append({"name": one["name"], "code": code, "text": error.strerror})
        return {"opened": opened, "failed": failed}

    def start(self, folder: str, admin: str, names: list[str]) -> dict[str, object]:
        """A worker for this folder and these sockets. It tells the present one to finish only once it serves itself."""
        if self.pending:
            self.old.append(self.pending)
        self.pending = self.spawn(folder, admin, names)
        return self.pending.told()

    def confirm(self, pid: int) -> dict[str, object]:
        if self.pending and self.pending.pid == pid:
            self.promote()
        return {"current": self.current.told() if self.current else None}

    def drop(self, names: list[str]) -> dict[str, object]:
        for name in names:
            held = self.sockets.pop(name, None)
            if held:
                held[0].close()
        return {}

    def status(self) -> dict[str, object]:
        return {
            "format": FORMAT,
            "pid": os.getpid(),
            "current": self.current.told() if self.current else None,
            "pending": self.pending is not None,
            "binds": [{"name": n, "host": h, "port": p} for n, (_, h, p) in self.sockets.items()],
            "old": [w.pid for w in self.old],
        }

    def stop(self, drain_s: float) -> dict[str, object]:
        self.dead = self.restart_at = None
        for pid in self.pids():
            signal_to(pid, signal.SIGUSR1)
        self.drop(list(self.sockets))
        self.stopping_until = time.monotonic() + drain_s
        return {}

    # workers

    def workers(self) -> list[Worker]:
        return [w for w in (self.current, self.pending, *self.old) if w]

    def pids(self) -> list[int]:
        return [*(w.pid for w in self.workers()), *(p for p, ticks in self.foreign if started_ticks(p) == ticks)]

    def spawn(self, folder: str, admin: str, names: list[str]) -> Worker:
        if admin not in self.admins:
            self.admins[admin] = listen_unix(admin)
        held = {name: one for name, (one, _, _) in self.sockets.items()}
        return spawn(self.program, (folder, admin), names, held, self.admins, self.pids())

    def promote(self) -> None:
        assert self.pending is not None
        if self.current:
            self.old.append(self.current)
        self.current, self.pending = self.pending, None
        self.dead = self.restart_at = None
        for worker in self.old[:-OLD_WORKERS]:
            signal_to(worker.pid, signal.SIGTERM)
        for path in [p for p in self.admins if p != self.current.admin]:
            self.admins.pop(path).close()
        sweep(self.run, self.current.admin)
        write_down(self.run, self.current)

    def reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self.ended(pid, os.waitstatus_to_exitcode(status))

    def ended(self, pid: int, code: int) -> None:
        if self.pending and self.pending.pid == pid:
            worker, self.pending = self.pending, None
            self.tell({"event": "exit", "pid": pid, "code": code, "log": tail(worker.folder)})
            if self.dead and self.restart_at is None:
                self.restart_at = time.monotonic()  # who should have taken its place did not
        elif self.current and self.current.pid == pid:
            worker, self.current = self.current, None
            if self.stopping_until is None:
                self.dead = worker
                if not self.pending:  # else that one has told it to go, and takes its place or fails
                    self.mourn(worker, code)
        else:
            self.old = [w for w in self.old if w.pid != pid]

    def mourn(self, worker: Worker, code: int) -> None:
        """The worker that serves died of itself: bring it back, soon, at its own configuration."""
        long_life = time.monotonic() - worker.started > LONG_LIFE_S
        self.deaths = 0 if long_life else self.deaths + 1
        wait = RESTART_AFTER_S[min(self.deaths, len(RESTART_AFTER_S) - 1)]
        self.tell({"event": "died", "pid": worker.pid, "code": code, "log": tail(worker.folder)})
        self.restart_at = time.monotonic() + wait

    def restart(self) -> None:
        """Not beside a pending one, which would be told to finish: that one takes the place, or its end asks again."""
        assert self.dead is not None
        self.restart_at = None
        if self.pending:
            return
        try:
            self.current = self.spawn(self.dead.folder, self.dead.admin, self.dead.names)
        except OSError:  # no process to be had, or the program is being replaced
            self.restart_at = time.monotonic() + RESTART_AFTER_S[-1]
            return
        self.dead = None
        write_down(self.run, self.current)
        self.tell({"event": "restarted", "pid": self.current.pid})
