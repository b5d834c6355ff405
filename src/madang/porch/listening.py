"""Who listens on a port, as seen from outside: inside, other people's sockets are not to be seen.

In: a port. Out: (address, port, pid) of each process that holds such a socket; pid 0 where it is not ours to see. Read
from /proc with nothing but the standard library, since the porch imports little.
"""

from __future__ import annotations

import contextlib
import os
import socket

LISTEN = "0A"


def listening(port: int) -> list[tuple[str, int, int]]:
    sockets = {**_table("/proc/net/tcp", port), **_table("/proc/net/tcp6", port)}
    found = [(sockets[inode], port, pid) for inode, pid in _holders(frozenset(sockets))] if sockets else []
    seen = {address for address, _, _ in found}
    return [*found, *((address, port, 0) for address in sockets.values() if address not in seen)]


def _table(path: str, port: int) -> dict[str, str]:
    """Addresses by the socket's inode."""
    found = {}
    with contextlib.suppress(OSError), open(path, encoding="ascii") as file:
        for line in list(file)[1:]:
            words = line.split()
            address, _, number = words[1].partition(":")
            if words[3] == LISTEN and int(number, 16) == port:
                found[words[9]] = _address(address)
    return found


def _address(text: str) -> str:
    """The kernel writes words of four bytes in the machine's own order."""
    raw = b"".join(int(text[at : at + 8], 16).to_bytes(4, "little") for at in range(0, len(text), 8))
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)


def _holders(inodes: frozenset[str]) -> list[tuple[str, int]]:
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        with contextlib.suppress(OSError):  # gone meanwhile, or somebody else's
            held = _links(f"/proc/{name}/fd")
            found += [(wanted[link], int(name)) for link in held & wanted.keys()]
    return found


def _links(folder: str) -> set[str]:
    found = set()
    for fd in os.listdir(folder):
        with contextlib.suppress(OSError):  # closed meanwhile
            found.add(os.readlink(f"{folder}/{fd}"))
    return found
