"""Folders are removed with all that programs left in them, also where these closed folders to their own owner.

In: a path. Out: nothing there. An ordinary user may remove nothing from a folder that is not writable (module caches
are made so), and root does not notice: each is opened first. What belongs to
ids that are lent to the user goes, too.
"""

import os
import shutil
from pathlib import Path

from madang.node.runtimes.monitor import syscalls
from madang.porch import namespaces


def remove(target: Path) -> None:
    """Also where nothing is. A link is removed, never what it leads to. Raises OSError: some of it may be left."""
    if not target.is_dir() or target.is_symlink():
        target.unlink(missing_ok=True)
        return
    try:
        if os.geteuid() != 0:
            _open(os.fspath(target))
        shutil.rmtree(target)
    except PermissionError:
        if os.geteuid() == 0 or not _by_lent_ids(target):
            raise


def _by_lent_ids(target: Path) -> bool:
    """What containers of an ordinary user wrote belongs to ids that are lent to this user: in a user namespace that has
    them, we are root over it. Done by a process that is thrown away."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            syscalls.setns(namespaces.make()[0], syscalls.CLONE_NEWUSER)
            shutil.rmtree(target)
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(pid, 0)[1] == 0


def _open(folder: str) -> None:
    if os.stat(folder).st_uid == os.geteuid():
        os.chmod(folder, 0o700)
    with os.scandir(folder) as entries:
        below = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    for one in below:
        _open(one)
