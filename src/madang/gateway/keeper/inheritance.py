"""What a new keeper takes over where the one before it was killed: the worker that still serves, and its sockets.

In: the courtyard's folder of sockets. Out: the keeper's sockets and the process that is not its child, filled in.
"""

import os
import signal
import socket

from madang.gateway.keeper.keeper import Keeper
from madang.gateway.keeper.process import signal_to
from madang.gateway.keeper.record import orphan


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
