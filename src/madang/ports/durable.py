"""What makes a name in a folder last: a file's own fsync says nothing of it.

In: a folder. Out: nothing; OSError where the disk says no.
"""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """After it, a power cut loses no name that was made, renamed or removed in there."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
