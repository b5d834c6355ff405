"""Who listens where: the listening sockets of a network namespace and whose they are.

In: pids. Out: `Listener` values: from the kernel where it can be asked, else from /proc.
"""

import os
import socket
import sys
from collections.abc import Iterable, Iterator

from madang.node.networks import diag
from madang.node.networks.diag import MAPPED, Listener

LISTEN = "0A"
ANY = frozenset({"0.0.0.0", "::"})


def listeners(pid: int | str = "self", port: int | None = None) -> Iterator[Listener]:
    """Listening TCP sockets in the network namespace of `pid`, in both families."""
    try:
        found: Iterable[Listener] = diag.listening(pid)
    except OSError:
        found = from_proc(pid)
    return (one for one in found if port is None or one.port == port)


def from_proc(pid: int | str) -> Iterator[Listener]:
    """Listening sockets stand first there: reading stops at the first other."""
    for name in ("tcp", "tcp6"):
        try:
            with open(f"/proc/{pid}/net/{name}") as file:
                next(file, None)
                for line in file:
                    fields = line.split()
                    if fields[3] != LISTEN:
                        break
                    address, _, port_hex = fields[1].partition(":")
                    yield Listener(_address(address), int(port_hex, 16), int(fields[9]))
        except OSError:
            continue


def _address(text: str) -> str:
    """Each 32-bit word is in the machine's byte order."""
    raw = b"".join(int(text[i : i + 8], 16).to_bytes(4, sys.byteorder) for i in range(0, len(text), 8))
    if len(raw) == 16 and raw.startswith(MAPPED):
        raw = raw[12:]
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)


def inodes(pids: Iterable[int]) -> set[int]:
    """The sockets that these processes hold."""
    found = set()
    for pid in pids:
        try:
            names = os.listdir(f"/proc/{pid}/fd")
        except OSError:
            continue
        for name in names:
            try:
                link = os.readlink(f"/proc/{pid}/fd/{name}")
            except OSError:
                continue
            if link.startswith("socket:["):
                found.add(int(link[8:-1]))
    return found


def owner(inode: int) -> tuple[int, str] | None:
    """(pid, name) of a process that holds this socket, if we may see it."""
    for name in os.listdir("/proc"):
        if name.isdigit() and inode in inodes([int(name)]):
            try:
                with open(f"/proc/{name}/comm") as file:
                    return int(name), file.read().strip()
            except OSError:
                return None
    return None
