"""Removing what belongs to ids that are lent to this user: in a user namespace that has them we are root over it.

In: a folder. Out: whether it is gone. Done by a process that is thrown away.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from madang.porch import namespaces


def remove(target: Path) -> bool:
    try:
        fds = namespaces.make()
    except OSError:
        return False
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            import ctypes  # only here: it costs memory

            if ctypes.CDLL(None).setns(fds[0], namespaces.KINDS[0][1]) == 0:
                shutil.rmtree(target)
                code = 0
        finally:
            os._exit(code)
    for fd in fds:
        os.close(fd)
    return os.waitpid(pid, 0)[1] == 0
