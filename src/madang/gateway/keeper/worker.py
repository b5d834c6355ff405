"""One HAProxy process: started on a configuration's folder, with the sockets that it serves and no others."""

from __future__ import annotations

import os
import signal
import time

TYPE_CHECKING = False  # typing itself would cost a megabyte
if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

ADMIN = "FD_ADMIN"


class Worker:
    def __init__(self, pid: int, folder: str, admin: str, names: list[str]) -> None:
        self.pid, self.folder, self.admin, self.names = pid, folder, admin, names
        self.started = time.monotonic()

    def told(self) -> dict[str, object]:
        return {"pid": self.pid, "folder": self.folder, "admin": self.admin}


def spawn(
    program: str,
    place: tuple[str, str],
    names: list[str],
    sockets: Mapping[str, socket.socket],
    admins: Mapping[str, socket.socket],
    predecessors: list[int],
) -> Worker:
    """`place` is its folder and the path of its runtime socket, one of `admins`; `predecessors` are told to finish."""
    folder, admin = place
    env = dict(os.environ)
    # what it does not serve it must not hold, or the port would stay open with nobody behind it
    for name, held in sockets.items():
        os.set_inheritable(held.fileno(), name in names)
        env[name] = str(held.fileno())
    for path, runtime in admins.items():
        os.set_inheritable(runtime.fileno(), path == admin)
    env[ADMIN] = str(admins[admin].fileno())
    arguments = [program, "-db", "-f", os.path.join(folder, "haproxy.cfg")]
    if predecessors:
        arguments += ["-sf", *map(str, predecessors)]
    log = os.path.join(folder, "haproxy.log")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    pid = os.posix_spawn(
        program,
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


def tail(folder: str) -> str:
    try:
        with open(os.path.join(folder, "haproxy.log"), "rb") as log:
            log.seek(max(0, os.fstat(log.fileno()).st_size - 4096))
            return log.read().decode("utf-8", "replace")
    except OSError:
        return ""
