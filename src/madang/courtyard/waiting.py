"""A control process that was started before anybody knew for which courtyard (`cli/ahead.py`): it waits to be told.

In: a socket. Out: the command line that it should have had, with descriptors of its own; None where nobody needs it.
"""

import os
import socket

MOST = 1 << 16


def told(fd: int) -> list[str] | None:
    with socket.socket(fileno=fd) as door:
        message, descriptors, _, _ = socket.recv_fds(door, MOST, 3)
    if not message:
        return None
    ready, log, *lock = descriptors
    for standard in (1, 2):
        os.dup2(log, standard)
    os.close(log)
    return [*message.decode().split("\0"), "--ready-fd", str(ready), "--lock-fd", str(lock[0] if lock else -1)]
