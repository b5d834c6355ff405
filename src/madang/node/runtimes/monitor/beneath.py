"""Opening what lies below a folder into which others write: nothing that they swap meanwhile leads out.

In: the folder, and a path below it of which no part is a link. Out: a descriptor of just that (for mounting it by
/proc/self/fd), or OSError where a part has become a link since somebody looked.
"""

import errno
import os
import stat
from contextlib import suppress

PART = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC if hasattr(os, "O_PATH") else os.O_RDONLY | os.O_NOFOLLOW


def opened(root: str, path: str, *, make: bool = False) -> int:
    """`make`: folders that are missing are made, for everybody. `root` itself may be a link: it is not theirs."""
    at = os.open(root, PART & ~os.O_NOFOLLOW)
    for part in [p for p in path.split("/") if p not in ("", ".")]:
        try:
            if part == "..":
                raise OSError(errno.EINVAL, "leads up", path)
            below = _below(at, part, make)
        finally:
            os.close(at)
        at = below
    return at


def _below(at: int, part: str, make: bool) -> int:
    try:
        below = os.open(part, PART, dir_fd=at)
    except FileNotFoundError:
        if not make:
            raise
        with suppress(FileExistsError):  # another container of the pod came first
            os.mkdir(part, dir_fd=at)
        made = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
        try:
            os.fchmod(made, 0o777)
        finally:
            os.close(made)
        below = os.open(part, PART, dir_fd=at)
    if stat.S_ISLNK(os.fstat(below).st_mode):
        os.close(below)
        raise OSError(errno.ELOOP, "has become a link", part)
    return below
