"""Folders are removed with all that programs left in them, also where these closed folders to their own owner.

In: a path. Out: nothing there. An ordinary user may remove nothing from a folder that is not writable (module caches
are made so), and root does not notice: each is opened first. What belongs to
ids that are lent to the user goes, too.
"""

import os
import shutil
from pathlib import Path

from madang.porch import lent


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
        if os.geteuid() == 0 or not lent.remove(target):
            raise


def _open(folder: str) -> None:
    if os.stat(folder).st_uid == os.geteuid():
        os.chmod(folder, 0o700)
    with os.scandir(folder) as entries:
        below = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    for one in below:
        _open(one)
