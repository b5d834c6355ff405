"""Small files written with as few system calls as there can be.

Why: at each call that may wait a thread gives Python's lock away and has to win it back from all others. What
`Path.write_bytes` and `chmod` do in nine calls is done in four; with fifty pods that start at once that is felt.
In: a path and bytes. Out: the whole file, or OSError.
"""

import os
from pathlib import Path


def put(path: str | Path, data: bytes, mode: int) -> None:
    """Makes or replaces the content; the mode is this one, whatever the umask."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        os.fchmod(fd, mode)
        write(fd, data)
    finally:
        os.close(fd)


def make(path: str | Path, mode: int) -> None:
    """An empty file with this mode, where there is none."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    except FileExistsError:
        return
    try:
        os.fchmod(fd, mode)
    finally:
        os.close(fd)


def folder(path: str | Path) -> bool:
    """Makes it, and those above it where they are missing. Whether it had to be made."""
    try:
        os.mkdir(path)
    except FileExistsError:
        if not os.path.isdir(path):
            raise
        return False
    except FileNotFoundError:
        folder(os.path.dirname(path))
        return folder(path)
    return True


def tell(path: str | Path, data: bytes) -> None:
    """Into a file that is there, such as one of the kernel's."""
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        write(fd, data)
    finally:
        os.close(fd)


def write(fd: int, data: bytes) -> None:
    """All of it: a disk that is nearly full takes a part, and refuses at the next call."""
    while data:
        data = data[os.write(fd, data) :]
