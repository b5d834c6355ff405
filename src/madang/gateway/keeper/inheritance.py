"""What a new keeper takes over where the one before it was killed: the workers that still serve, and their sockets.

In: the courtyard's folder of sockets. Out: the keeper's sockets and the processes that are not its children, filled in.
"""

import os
import signal
import socket

from madang.gateway.keeper.keeper import Keeper
from madang.gateway.keeper.record import orphans
from madang.porch.process import signal_to


def inherit(keeper: Keeper) -> None:
    """Where an earlier keeper was killed, its workers still serve: take over their listening sockets."""
    keeper.foreign = orphans(keeper.run)
    for pid, _ in keeper.foreign:
        taken = sockets_of(pid)
        for held in taken:
            host, port = held.getsockname()[:2]
            name = "FD_" + "".join(c if c.isalnum() else "_" for c in f"{host}_{port}")
            if name in keeper.sockets:  # of two workers, one of which was about to take the other's place
                held.close()
            else:
                keeper.sockets[name] = (held, host, port)
        if not taken:  # not allowed to: then it must go, or its ports would stay taken
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
