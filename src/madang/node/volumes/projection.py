"""Puts files into a volume so that a reader sees all of the old ones or all of the new.

The files lie in a folder named by the moment; `..data` is a link to it that is swapped by rename, and what a
program opens are links through `..data` (as a kubelet does: programs and file watchers rely on it).
"""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from madang.node import small_files
from madang.node.volumes.content import File

_DATA = "..data"


def project(folder: Path, files: Mapping[str, File], owner: tuple[int, int] | None = None) -> bool:
    """Make `folder` hold exactly `files`. Whether anything had to change. Raises OSError."""
    fresh = small_files.folder(folder)
    old = None if fresh else _current(folder)
    if old is not None and _same(old, files):
        return False
    new = Path(tempfile.mkdtemp(prefix="..", dir=folder))
    os.chmod(new, 0o755)
    for path, file in files.items():
        target = new / path
        if "/" in path:
            target.parent.mkdir(parents=True, exist_ok=True)
        small_files.put(target, file.data, file.mode)
        if owner is not None:
            os.chown(target, *owner)
    swap = folder / "..data_tmp"
    swap.unlink(missing_ok=True)
    swap.symlink_to(new.name)
    swap.replace(folder / _DATA)
    _links(folder, files, fresh=fresh)
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)
    return True


def _links(folder: Path, files: Mapping[str, File], *, fresh: bool) -> None:
    """One link for each first part of a path; those that lead nowhere any more are taken away. `fresh`: there is
    none yet."""
    names = {path.split("/", 1)[0] for path in files}
    for name in names:
        link = folder / name
        if fresh or not link.is_symlink():
            link.symlink_to(f"{_DATA}/{name}")
    if fresh:
        return
    for entry in folder.iterdir():
        if entry.is_symlink() and not entry.name.startswith("..") and entry.name not in names:
            entry.unlink()


def _current(folder: Path) -> Path | None:
    link = folder / _DATA
    return folder / link.readlink() if link.is_symlink() else None


def _same(old: Path, files: Mapping[str, File]) -> bool:
    try:
        return _count(str(old)) == len(files) and all(_holds(f"{old}/{path}", file) for path, file in files.items())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False


def _count(folder: str) -> int:
    """Of files, in this folder and all below it."""
    with os.scandir(folder) as entries:
        return sum(_count(e.path) if e.is_dir(follow_symlinks=False) else 1 for e in entries)


def _holds(path: str, file: File) -> bool:
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a program may have put a pipe there
    try:
        there = os.fstat(fd)
        if there.st_size != len(file.data) or there.st_mode & 0o7777 != file.mode:
            return False
        with open(fd, "rb", buffering=0, closefd=False) as present:
            return present.read() == file.data
    finally:
        os.close(fd)
