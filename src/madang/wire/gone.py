"""Clients that have left while what they sent last is not taken: HAProxy knows, and holds their other side open.

In: the front's runtime socket; somebody who waits for a client (`look`). Out: our ends of connections whose client is
gone are closed, so that whoever writes there hears of it. Nothing looks while nobody waits. Why so: the end of a client
stands behind the bytes that nobody reads, and HAProxy delivers those first, for as long as it takes; asked to shut
such a session down, it does nothing. Which connection is whose, the kernel tells (unix_diag, sock_diag(7)).
"""

import asyncio
import logging
import os
import re
import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from madang.haproxy import admin

log = logging.getLogger("madang.wire")
EVERY_S = 2.0  # two looks in which a client is gone end its session: what is on its way needs a moment
HEAD = re.compile(r"^(0x[0-9a-f]+: \[.*?\] id=\d+)", re.M)
CLIENT_CLOSED = re.compile(r"^ +scf=\S+ flags=\S+ state=CLO", re.M)
OURS = re.compile(r"^ +frontend=api ", re.M)
DOOR = re.compile(r"^ +co1=.*\n +flags=\S+ fd=(\d+)", re.M)
NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, UDIAG_SHOW_PEER, UNIX_DIAG_PEER = 4, 20, 4, 2


class Left(NamedTuple):
    """`fd`: the front's end of the connection to the door."""

    session: str
    fd: int


class Gone:
    """`connections`: those of the door, each with a `transport`; `pid`: the front's."""

    def __init__(self, control: Path, pid: Callable[[], int], connections: Callable[[], Iterable[Any]]) -> None:
        self._control, self._pid, self._connections = control, pid, connections
        self._before: set[Left] = set()
        self._at_s = 0.0

    async def look(self) -> None:
        """Cheap for the second and the hundredth who ask at the same time."""
        now = asyncio.get_running_loop().time()
        if now - self._at_s < EVERY_S:
            return
        self._at_s = now
        try:
            (answer,) = await admin.ask(self._control, ["show sess all"])
            found = set(left(answer))
            self._cut([peer(_inode(f"/proc/{self._pid()}/fd/{one.fd}")) for one in found & self._before])
        except (admin.Silent, OSError) as fault:
            log.debug("who has left cannot be told: %s", fault)
            return
        self._before = found

    def _cut(self, inodes: Iterable[int]) -> None:
        wanted = set(inodes)
        for connection in list(self._connections()) if wanted else ():
            sock = connection.transport.get_extra_info("socket")
            if sock is not None and sock.fileno() >= 0 and os.fstat(sock.fileno()).st_ino in wanted:
                connection.transport.abort()


def left(answer: str) -> Iterator[Left]:
    """Each session whose client is gone."""
    heads = list(HEAD.finditer(answer))
    for head, following in zip(heads, [*heads[1:], None]):
        text = answer[head.start() : following.start() if following else len(answer)]
        door = DOOR.search(text)
        if OURS.search(text) and CLIENT_CLOSED.search(text) and door:
            yield Left(head[1], int(door[1]))


def _inode(path: str) -> int:
    return os.stat(path).st_ino


def peer(inode: int) -> int:
    """The inode of the unix socket at the other end; 0: nobody's."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(1)
        asked = struct.pack("=BBHIIIII", socket.AF_UNIX, 0, 0, 0xFFFFFFFF, inode, UDIAG_SHOW_PEER, 2**32 - 1, 2**32 - 1)
        kernel.send(struct.pack("=IHHII", 16 + len(asked), SOCK_DIAG_BY_FAMILY, 1, 1, 0) + asked)
        answer = kernel.recv(4096)
    length, kind = struct.unpack_from("=IH", answer)
    at = 16 + 16  # the header of the message, then of what it tells
    while kind == SOCK_DIAG_BY_FAMILY and at + 8 <= length:
        size, name = struct.unpack_from("=HH", answer, at)
        if name == UNIX_DIAG_PEER:
            return int(struct.unpack_from("=I", answer, at + 4)[0])
        at += max(size + (-size % 4), 4)
    return 0
