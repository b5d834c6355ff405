"""Where claims are kept, and the lock under which one picks: folders that all users of a machine share.

In: the folders in question, the first is root's. Out: the one to write in; a lock over all of them, since a start of
root may find both where one of an ordinary user found the second alone. Whoever may write there is not trusted.
"""

import fcntl
import logging
import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

log = logging.getLogger(__name__)
PICKING_S = 5.0  # how long another may take to pick


class Busy(OSError):
    """The courtyard has a control process already, or the claims can't be locked."""


def writable(folders: Sequence[Path]) -> Path:
    """The first that is there, or that we can make, and is safe to write in."""
    faults = []
    for folder in folders:
        try:
            _check(folder)
            if os.access(folder, os.W_OK):
                return folder
        except OSError as error:
            faults.append(f"{error.filename}: {error.strerror}")
    raise OSError(13, f"no folder for claims: {'; '.join(faults) or 'none may be written to'}", str(folders[-1]))


def _check(folder: Path) -> None:
    """There, and nobody can remove another's claims."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    _open_to_all(folder.parent)
    if not folder.exists():
        try:
            folder.mkdir()
            folder.chmod(0o1777)  # every user adds claims, nobody removes another's
        except FileExistsError:  # another one was quicker
            time.sleep(0.01)
    info = folder.lstat()
    if not stat.S_ISDIR(info.st_mode):
        raise OSError(20, "is not a folder", str(folder))
    if info.st_mode & 0o002 and not info.st_mode & stat.S_ISVTX:
        raise OSError(1, "anybody may remove others' claims there: chmod 1777", str(folder))


def _open_to_all(parent: Path) -> None:
    """A strict umask must not hide our claims from other users: they would take the same addresses."""
    info = parent.stat()
    if info.st_uid == os.geteuid() and parent.name == "madang" and info.st_mode & 0o055 != 0o055:
        parent.chmod(0o755)


@contextmanager
def picking(folder: Path, folders: Sequence[Path]) -> Iterator[None]:
    """One picks at a time, on the whole machine."""
    with ExitStack() as held:
        for one in folders:  # always in this order
            try:
                _check(one)
                _hold(one / ".picking", held)
            except OSError as error:
                if one == folder:
                    raise
                log.info("claims in %s are not locked: %s", one, error)
        yield


def _hold(path: Path, held: ExitStack) -> None:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    old = os.umask(0)
    try:
        fd = os.open(path, flags)  # the kernel may forbid O_CREAT where another has made it
    except FileNotFoundError:
        fd = os.open(path, flags | os.O_CREAT, 0o666)
    finally:
        os.umask(old)
    held.callback(os.close, fd)
    until = time.monotonic() + PICKING_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > until:
                raise Busy(11, f"{path} has been locked by another for {PICKING_S:.0f} s") from None
            time.sleep(0.01)
