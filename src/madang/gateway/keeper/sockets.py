"""The sockets that the keeper holds: TCP ones for whoever serves, unix ones for HAProxy's runtime API and its own door.

In: an address, a path. Out: a socket that listens; OSError where it cannot be had.
"""

from __future__ import annotations

import os

from madang.porch import standing
from madang.porch.unix import listen_unix, remove

TYPE_CHECKING = False  # typing itself would cost a megabyte
if TYPE_CHECKING:
    import socket

BACKLOG = 4096
__all__ = ["listen", "listen_unix", "remove", "sweep"]


def listen(host: str, port: int, own: bool, *, outside: bool = False) -> socket.socket:
    """Own addresses and a wildcard of one port stand side by side only if both ask for it, and then a third could
    join them unnoticed: so the wildcard first tries without. `outside`: people reach it, also where we live inside."""
    opened = standing.listen if outside else standing.opened
    wildcard = host in ("0.0.0.0", "::")
    if wildcard:
        opened("127.0.0.1", port, BACKLOG).close()
    return opened(host, port, BACKLOG, reuse_port=own or wildcard)


def sweep(run: str, keep: str) -> None:
    """Runtime sockets of workers that are not current."""
    for name in os.listdir(run):
        path = os.path.join(run, name)
        if name.startswith("gateway-") and name.endswith(".sock") and path != keep:
            remove(path)
