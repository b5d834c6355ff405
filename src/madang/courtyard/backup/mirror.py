"""A folder's copy, made in two passes: most of it while programs write, the rest while they stand still for a moment.

In: a folder, and where its copy goes. Out: the copy; the second pass takes only what has changed since the first. A
file counts as unchanged if its inode, size and times are the same, and its change was not too recent to be told by a
clock's tick; what a process has mapped to write counts as changed, since memory changes without a time.
"""

import errno
import os
import stat
import time
from collections.abc import Collection, Iterable
from pathlib import Path

from madang.courtyard.removal import remove

TICK_S = 0.1  # file times are as coarse as the kernel's clock
CHUNK = 1 << 20
# What was looked at is gone, or is of another kind by now: the second pass, when nobody writes, takes it as it is.
OTHERWISE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)

Inode = tuple[int, int]
Stamp = tuple[int, ...]


class Mirror:
    def __init__(self, source: Path, target: Path) -> None:
        self._source, self._target = source, target
        self._seen: dict[str, Stamp] = {}
        self._folders: set[str] = set()
        self._copied: dict[Inode, Path] = {}  # names of one file stay names of one file
        self.bytes = 0  # read so far

    def update(self, mapped: Collection[int] = ()) -> None:
        """Once or again. What vanishes meanwhile was never there."""
        self._copied = {}
        before, self._seen, self._folders = self._seen, {}, set()
        self._folder("", before, mapped)
        # Only below what still is a folder: where a link has its place now, the name would lead out of the copy, and
        # what lay in a folder that is gone has gone with it.
        for name in [name for name in before if name not in self._seen]:
            if name.rpartition("/")[0] in self._folders:
                remove(self._target / name)

    def _folder(self, name: str, before: dict[str, Stamp], mapped: Collection[int]) -> None:
        source, target = self._source / name, self._target / name
        try:
            info = source.stat(follow_symlinks=False)
            children = sorted(os.listdir(source))
        except (FileNotFoundError, NotADirectoryError):
            return
        if target.is_symlink() or not target.is_dir():
            remove(target)
            target.mkdir(parents=not name, mode=0o700)
        else:
            target.chmod(0o700)  # it may be closed to its owner
        self._seen[name] = ()
        self._folders.add(name)
        for child in children:
            self._entry(f"{name}/{child}" if name else child, before, mapped)
        dress(target, info)

    def _entry(self, name: str, before: dict[str, Stamp], mapped: Collection[int]) -> None:
        source, target = self._source / name, self._target / name
        try:
            info = source.stat(follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return
        if stat.S_ISDIR(info.st_mode):
            self._folder(name, before, mapped)
            return
        inode = (info.st_dev, info.st_ino)
        stamp = stamp_of(info)
        fresh = bool(stamp) and before.get(name) == stamp and info.st_ino not in mapped
        try:
            if not fresh:
                remove(target)
                if not self._copy(source, target, info, inode):
                    return
            self._copied.setdefault(inode, target)
            self._seen[name] = stamp
        except OSError as error:
            if error.errno not in OTHERWISE:
                raise

    def _copy(self, source: Path, target: Path, info: os.stat_result, inode: Inode) -> bool:
        """False: it is of a kind that is not kept (a socket, a device)."""
        if stat.S_ISLNK(info.st_mode):
            target.symlink_to(os.readlink(source))
        elif stat.S_ISFIFO(info.st_mode):
            os.mkfifo(target)
        elif not stat.S_ISREG(info.st_mode):
            return False
        elif info.st_nlink > 1 and inode in self._copied:
            os.link(self._copied[inode], target)
            return True
        else:
            self.bytes += copy_file(source, target)
        dress(target, info)
        return True


def stamp_of(info: os.stat_result) -> Stamp:
    """What tells one state of a file from another; nothing where the next write might not change it."""
    if time.time() - info.st_ctime_ns / 1e9 < TICK_S:
        return ()
    return (info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_mode)


def copy_file(source: Path, target: Path) -> int:
    """Only what is there: holes stay holes. Copied inside the file system where it can (shared blocks, even)."""
    # Not blocking: a pipe may have taken the file's place, and nobody may ever write there.
    read = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(read).st_mode):
            raise FileNotFoundError(errno.ENOENT, "is no file any more", os.fspath(source))
        write = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            size, at = os.fstat(read).st_size, 0
            while at < size:
                try:
                    begin = os.lseek(read, at, os.SEEK_DATA)
                except OSError:  # nothing but a hole is left, or the file has been cut meanwhile
                    break
                at = copy_range(read, write, begin, os.lseek(read, begin, os.SEEK_HOLE))
            os.ftruncate(write, size)
            return size
        finally:
            os.close(write)
    finally:
        os.close(read)


def copy_range(read: int, write: int, begin: int, end: int) -> int:
    at = begin
    while at < end:
        try:
            done = os.copy_file_range(read, write, end - at, at, at)
        except OSError:
            done = os.pwrite(write, os.pread(read, min(CHUNK, end - at), at), at)
        if done == 0:  # cut while it was read
            return end
        at += done
    return at


def dress(target: Path, info: os.stat_result) -> None:
    """Owner, mode and times, as far as we may."""
    if os.geteuid() == 0:
        os.chown(target, info.st_uid, info.st_gid, follow_symlinks=False)
    if not stat.S_ISLNK(info.st_mode):
        target.chmod(stat.S_IMODE(info.st_mode))
        os.utime(target, ns=(info.st_atime_ns, info.st_mtime_ns))


def written_maps(pids: Iterable[int]) -> set[int]:
    """Inodes that these processes have mapped, shared and writable: they change without a new time. The device is not
    compared: some file systems tell another one there."""
    found: set[int] = set()
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/maps").read_text(errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            fields = line.split(maxsplit=5)
            if len(fields) > 5 and fields[1][1:2] == "w" and fields[1][3:4] == "s" and fields[5].startswith("/"):
                found.add(int(fields[4]))
    return found
