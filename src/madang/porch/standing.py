"""Where this process stands, on the machine itself or inside, and how it opens a socket that people outside reach.

In: an address and a port. Out: a listening socket, opened here, or outside by the porch and handed in; OSError as if it
had been opened here. Where a process stands is a fact of the whole process, so it is kept once a process.
"""

from __future__ import annotations

import json
import os
import socket
import time

TYPE_CHECKING = False  # typing itself would cost a megabyte
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

SOCKET = "porch.sock"
PATIENCE_S = 10.0
BACK_S = 2.0  # the porch comes back when it is killed, in a few milliseconds
FDS = 8


class _Here:
    """`run` is the courtyard's folder of sockets, empty on the machine itself."""

    run = ""
    uid = gid = 0


def come_in(run: str, uid: int, gid: int) -> None:
    """From now on we are inside; these were our ids outside."""
    _Here.run, _Here.uid, _Here.gid = run, uid, gid


def come_out() -> None:
    """For a process that only looked in (tests)."""
    _Here.run = ""


def words() -> list[str]:
    """For a process of ours that we start: `believe` reads them."""
    return [_Here.run, str(_Here.uid), str(_Here.gid)] if inside() else []


def believe(told: Sequence[str]) -> None:
    if told:
        run, uid, gid = told
        come_in(run, int(uid), int(gid))


def inside() -> bool:
    return bool(_Here.run)


def root() -> bool:
    """Whether we may do to everybody's files and processes what we like: inside, root is root among its own alone."""
    return os.geteuid() == 0 and not inside()


def user() -> int:
    """Whom programs run as: inside, whoever we are outside, and not the root that we are taken for."""
    return _Here.uid if inside() else os.geteuid()


def group() -> int:
    return _Here.gid if inside() else os.getegid()


def folder() -> str:
    """Inside, the courtyard's own place for what is kept in /run/madang elsewhere."""
    return os.path.join(_Here.run, "inside") if inside() else ""


def listen(host: str, port: int, backlog: int, *, reuse_port: bool = False) -> socket.socket:
    if not inside():
        return opened(host, port, backlog, reuse_port=reuse_port)
    _, fds = ask(_Here.run, {"op": "listen", "host": host, "port": port, "backlog": backlog, "reuse_port": reuse_port})
    return socket.socket(fileno=fds[0])


def opened(host: str, port: int, backlog: int, *, reuse_port: bool = False) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        # so that a socket in TIME_WAIT of a courtyard that has just gone is no obstacle; a listener still is
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind((host, port))
        made.listen(backlog)
    except OSError:
        made.close()
        raise
    return made


def listening(port: int) -> list[tuple[str, int, int]]:
    """(address, port, pid) of who listens outside; inside only. Nobody where the porch is of an older version."""
    try:
        answer, _ = ask(_Here.run, {"op": "listening", "port": port})
    except OSError:
        return []
    return [(ip, number, pid) for ip, number, pid in answer["held"]]


def told() -> Mapping[str, Any]:
    """What the porch says of itself; inside only."""
    answer, _ = ask(_Here.run, {"op": "status"})
    return answer


def ask(run: str, request: Mapping[str, object], *, patience_s: float = BACK_S) -> tuple[dict[str, Any], list[int]]:
    """One question, one answer with its descriptors. Asked again while the porch is away."""
    until = time.monotonic() + patience_s
    while True:
        try:
            return _ask(os.path.join(run, SOCKET), request)
        except (ConnectionError, FileNotFoundError) as error:
            if time.monotonic() > until:
                text = f"the porch does not answer: {error.strerror or error}"
                raise ConnectionRefusedError(111, text, run) from None
            time.sleep(0.01)


def _ask(path: str, request: Mapping[str, object]) -> tuple[dict[str, Any], list[int]]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked:
        asked.settimeout(PATIENCE_S)
        _connect(asked, path)
        asked.sendall(json.dumps(request).encode() + b"\n")
        text, fds, _, _ = socket.recv_fds(asked, 65536, FDS)
        while text and not text.endswith(b"\n"):
            more = asked.recv(65536)
            if not more:
                break
            text += more
    if not text.endswith(b"\n"):
        for fd in fds:
            os.close(fd)
        raise ConnectionResetError(104, "it ended before it answered", path)
    answer: dict[str, Any] = json.loads(text)
    if not answer.pop("ok"):
        raise OSError(answer["errno"], answer["text"])
    return answer, fds


def _connect(asked: socket.socket, path: str) -> None:
    """A socket's path is short by law, a state folder's need not be."""
    place, name = os.path.split(path)
    fd = os.open(place, os.O_PATH | os.O_DIRECTORY)
    try:
        asked.connect(f"/proc/self/fd/{fd}/{name}")
    finally:
        os.close(fd)
