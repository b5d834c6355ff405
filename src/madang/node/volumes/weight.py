"""What a folder weighs on its disk.

In: a folder. Out: bytes of all that lies below it, each file once. Looks at every file: for a thread.
"""

import os
from pathlib import Path


def size(folder: Path) -> int:
    total, todo = 0, [str(folder)]
    seen: set[tuple[int, int]] = set()
    while todo:
        try:
            with os.scandir(todo.pop()) as entries:
                for entry in entries:
                    found = entry.stat(follow_symlinks=False)
                    if found.st_nlink > 1 and not entry.is_dir(follow_symlinks=False):
                        if (found.st_dev, found.st_ino) in seen:
                            continue
                        seen.add((found.st_dev, found.st_ino))
                    total += found.st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(entry.path)
        except OSError:
            continue  # it went while we looked
    return total
