"""The sockets that the keeper holds: TCP ones for whoever serves, unix ones for HAProxy's runtime API and its own door.

In: an address, a path. Out: a socket that listens; OSError where it cannot be had.
"""

import os
import socket
from contextlib import suppress

BACKLOG = 4096


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
        try:
            made.bind(name)
        finally:
            os.umask(mask)
    finally:
        os.chdir(here)
    made.listen(64)
    return made


def sweep(run: str, keep: str) -> None:
    """Runtime sockets of workers that are not current."""
    for name in os.listdir(run):
        path = os.path.join(run, name)
        if name.startswith("gateway-") and name.endswith(".sock") and path != keep:
            remove(path)


def remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)
