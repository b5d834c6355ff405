"""HAProxy's parent: holds the listening sockets, starts workers, brings a dead one back. Outlives `madang`.

In: one JSON line a request on a unix socket (bind, run, confirm, drop, status, stop). Out: one JSON line an answer,
and `{"event": "exit"}` lines. Because the sockets are held here, connections wait in the backlog while HAProxy is
away, and a port that is taken is known before HAProxy hears of it. Run as a file by a bare interpreter (-I -S) and
imports next to nothing: it stands for days, and every megabyte counts (about 9 MB; HAProxy itself takes 13).
"""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress

TYPE_CHECKING = False  # typing itself would cost a megabyte
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

FORMAT = 1  # of the protocol and of the state file; a newer `madang` replaces an older keeper
ADMIN = "FD_ADMIN"
BACKLOG = 4096
OLD_WORKERS = 8  # so many may finish their connections at one time; the oldest is asked to hurry
RESTART_AFTER_S = (0.0, 0.1, 0.5, 1.0, 5.0)  # a worker that keeps dying is brought back more slowly
LONG_LIFE_S = 10.0
UNCONFIRMED_S = 15.0


class Worker:
    def __init__(self, pid: int, folder: str, admin: str, names: list[str]) -> None:
        self.pid, self.folder, self.admin, self.names = pid, folder, admin, names
        self.started = time.monotonic()

    def told(self) -> dict[str, object]:
        return {"pid": self.pid, "folder": self.folder, "admin": self.admin}


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
                held = listen(one["host"], one["port"], one["own"])
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
        env = dict(os.environ)
        # what it does not serve it must not hold, or the port would stay open with nobody behind it
        for name, (held, _, _) in self.sockets.items():
            os.set_inheritable(held.fileno(), name in names)
            env[name] = str(held.fileno())
        for path, runtime in self.admins.items():
            os.set_inheritable(runtime.fileno(), path == admin)
        env[ADMIN] = str(self.admins[admin].fileno())
        arguments = [self.program, "-db", "-f", os.path.join(folder, "haproxy.cfg")]
        predecessors = self.pids()
        if predecessors:
            arguments += ["-sf", *map(str, predecessors)]
        log = os.path.join(folder, "haproxy.log")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        pid = os.posix_spawn(
            self.program,
            arguments,
            env,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, log, flags, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsigdef=[signal.SIGPIPE, signal.SIGINT, signal.SIGTERM],
            setsigmask=[],
        )
        return Worker(pid, folder, admin, names)

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


def listen(host: str, port: int, own: bool) -> socket.socket:
    """Own addresses and a wildcard of one port stand side by side only if both ask for it, and then a third could
    join them unnoticed: so the wildcard first tries without."""
    wildcard = host in ("0.0.0.0", "::")
    if wildcard:
        listen("127.0.0.1", port, False).close()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        # so that a socket in TIME_WAIT of a courtyard that has just gone is no obstacle; a listener still is
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if own or wildcard:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind((host, port))
        made.listen(BACKLOG)
    except OSError:
        made.close()
        raise
    return made


def listen_unix(path: str) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    remove(path)
    here, (folder, name) = os.getcwd(), os.path.split(path)
    os.chdir(folder)  # a socket's path is short by law, a state folder's need not be
    try:
        mask = os.umask(0o177)
        made.bind(name)
        os.umask(mask)
    finally:
        os.chdir(here)
    made.listen(64)
    return made


def write_down(run: str, worker: Worker) -> None:
    """For who comes after this keeper's own death: which worker holds the sockets."""
    path = os.path.join(run, "gateway.json")
    state = {"format": FORMAT, "keeper": os.getpid(), "worker": worker.told(), "ticks": started_ticks(worker.pid)}
    with open(path + ".new", "w", encoding="utf-8") as out:
        json.dump(state, out)
    os.rename(path + ".new", path)


def orphan(run: str) -> tuple[int, int] | None:
    """The worker that was written down last, if it lives: (pid, ticks)."""
    try:
        with open(os.path.join(run, "gateway.json"), encoding="utf-8") as told:
            state = json.load(told)
        pid, ticks = state["worker"]["pid"], state["ticks"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return (pid, ticks) if started_ticks(pid) == ticks else None


def inherit(keeper: Keeper) -> None:
    """Where an earlier keeper was killed, its worker still serves: take over its listening sockets."""
    found = orphan(keeper.run)
    if found is None:
        return
    pid, _ = found
    keeper.foreign = [found]
    for held in sockets_of(pid):
        host, port = held.getsockname()[:2]
        name = "FD_" + "".join(c if c.isalnum() else "_" for c in f"{host}_{port}")
        keeper.sockets[name] = (held, host, port)
    if not keeper.sockets:  # not allowed to: then it must go, or its ports would stay taken
        signal_to(pid, signal.SIGUSR1)


def sockets_of(pid: int) -> list[socket.socket]:
    """Copies of the listening TCP sockets of another process of ours; empty where the system forbids it."""
    import ctypes  # only on this rare way: it costs memory

    found = []
    try:
        handle = os.pidfd_open(pid)
        for name in os.listdir(f"/proc/{pid}/fd"):
            if not os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:"):
                continue
            copy = ctypes.CDLL(None, use_errno=True).syscall(438, handle, int(name), 0)  # pidfd_getfd
            if copy < 0:
                continue
            held = socket.socket(fileno=copy)
            if held.family == socket.AF_INET and held.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                found.append(held)
            else:
                held.close()
        os.close(handle)
    except OSError:
        pass
    return found


def started_ticks(pid: int) -> int:
    """Field 22 of /proc/PID/stat: with the pid it names one process for ever. 0 where there is none, or a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
        return 0 if fields[0] == b"Z" else int(fields[19])
    except (OSError, ValueError, IndexError):
        return 0


def signal_to(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def sweep(run: str, keep: str) -> None:
    """Runtime sockets of workers that are not current."""
    for name in os.listdir(run):
        path = os.path.join(run, name)
        if name.startswith("gateway-") and name.endswith(".sock") and path != keep:
            remove(path)


def remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)


def tail(folder: str) -> str:
    try:
        with open(os.path.join(folder, "haproxy.log"), "rb") as log:
            log.seek(max(0, os.fstat(log.fileno()).st_size - 4096))
            return log.read().decode("utf-8", "replace")
    except OSError:
        return ""


def main(program: str, run: str) -> None:
    """`run` is the courtyard's folder of sockets. Forks once: the caller has nobody to reap."""
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
        remove(os.path.join(run, "gateway.json"))


if __name__ == "__main__":
    main(*sys.argv[1:])
