"""Whether somebody holds a file's lock: the kernel lets go of a lock with its process, however that ends.

In: a path. Out: yes or no. Nothing is made, and no lock is kept.
"""

import fcntl
import os
from pathlib import Path


def held(path: Path) -> bool:
    """No where there is no such file, or it can't be opened. A link is not followed: it may lead to anybody's file."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False
