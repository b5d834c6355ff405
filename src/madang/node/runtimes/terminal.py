"""The size of a running container's terminal, changed from outside.

In: what runs, columns and rows. Out: the program's SIGWINCH; nothing where it has no terminal, or is gone.
"""

import fcntl
import os
import struct
import termios

from madang.node.runtimes.monitor import record
from madang.node.runtimes.runtime import Running


def resize(running: Running, columns: int, rows: int) -> None:
    if not record.alive(running.pid, running.started_ticks):
        return
    try:
        fd = os.open(f"/proc/{running.pid}/fd/0", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if os.isatty(fd):
            fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    finally:
        os.close(fd)
