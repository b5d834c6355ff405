"""A layer becomes a folder: each entry of its archive is made below one descriptor, in the form that overlayfs reads.

In: a `Flow` over the blob and an empty folder. Out: the folder filled, and what it weighs. Whiteouts become character
devices 0/0, opaque folders carry overlayfs' attribute; device nodes are left out and counted (a container gets its
devices from its runtime, and no stranger's archive makes a way to a disk here). Owners are kept where the process may
give files away. What an entry replaces in the same layer is removed first, as tar does.
"""

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from madang.node.images import tar
from madang.node.images.folders import Folders, Parts, empty
from madang.node.images.layout import Tree
from madang.node.images.limits import LIMITS, BadArchive, NoRoom
from madang.node.images.names import Meaning, parts_of, place, shown
from madang.node.images.tar import Entry

WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
LOOK_EVERY = 64 << 20  # bytes written between two looks at the disk's free space
UNTRUSTED = (b"trusted.", b"user.overlay.", b"security.selinux")  # overlayfs' own words are ours alone to say


class Bytes(tar.Feed, Protocol):
    def pieces(self, size: int, /) -> Iterator[memoryview]: ...


class TreeWriter:
    """`write` everything, then `finish`."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._folders = Folders(root)
        self._meta: dict[Parts, Entry] = {}
        self._may_give = os.geteuid() == 0
        self._size = self._count = self._left_out = self._since_look = 0

    def write(self, feed: Bytes) -> None:
        # modes are those of the archive, not of whoever unpacks; no other thread of the worker makes files meanwhile
        mask = os.umask(0)
        try:
            for entry in tar.entries(feed):
                before = self._size
                self._one(entry, feed)
                if self._size == before and entry.size:
                    feed.skip(entry.size)
                feed.skip(-entry.size % tar.BLOCK)
        finally:
            os.umask(mask)
            self._folders.forget()

    def finish(self, diff_id: str) -> Tree:
        """Folders get their modes and times last: a closed one could not be filled, and filling changes times."""
        for parts in sorted(self._meta, reverse=True):  # what lies in a folder before the folder, neighbours together
            with suppress(FileNotFoundError, BadArchive):
                fd, real = self._folders.at(parts, make=False)
                if real == parts:
                    self._dress(fd, self._meta[parts])
        self._folders.forget()
        implied = self._folders.implied | {()}
        unsaid = sorted(os.fsdecode(b"/".join(parts)) for parts in implied if parts not in self._meta)
        return Tree(diff_id, self._size, self._count, self._left_out, tuple(unsaid))

    def _one(self, entry: Entry, feed: Bytes) -> None:
        self._count += 1
        at = place(entry.name)
        try:
            if at.meaning is Meaning.ENTRY:
                self._make(at.parts, entry, feed)
            elif at.meaning is Meaning.WHITEOUT:
                self._hide(at.parts)
            elif at.meaning is Meaning.OPAQUE:
                if not at.parts:
                    raise BadArchive("the layer hides everything below it: such layers are not known here")
                empty(self._folders.at(at.parts)[0])
        except (FileExistsError, IsADirectoryError, NotADirectoryError, FileNotFoundError) as error:
            raise BadArchive(f"{shown(entry.name)}: {error.strerror}") from error

    def _make(self, parts: Parts, entry: Entry, feed: Bytes) -> None:
        if not parts:
            if entry.kind == tar.FOLDER:
                self._meta[()] = entry
            return
        folder, above = self._folders.above(parts)
        name, real = parts[-1], (*above, parts[-1])
        match entry.kind:
            case tar.FILE:
                self._file(folder, name, real, entry, feed)
            case tar.FOLDER:
                self._folder(folder, name, real, entry)
            case tar.SYMLINK:
                if not entry.link:
                    raise BadArchive(f"{shown(entry.name)} is a link to nothing")
                folder = self._clear(folder, name, real)
                os.symlink(entry.link, name, dir_fd=folder)
                self._own(folder, name, entry)
            case tar.LINK:
                self._link(name, parts, entry)
            case tar.FIFO:
                folder = self._clear(folder, name, real)
                os.mkfifo(name, entry.mode & 0o777, dir_fd=folder)
                self._own(folder, name, entry)
            case _:
                self._left_out += 1

    def _file(self, folder: int, name: bytes, real: Parts, entry: Entry, feed: Bytes) -> None:
        try:
            fd = os.open(name, WRITE, entry.mode & 0o777, dir_fd=folder)
        except FileExistsError:
            folder = self._clear(folder, name, real)
            fd = os.open(name, WRITE, entry.mode & 0o777, dir_fd=folder)
        try:
            for piece in feed.pieces(entry.size):
                while piece:
                    piece = piece[os.write(fd, piece) :]
            self._size += entry.size
            self._dress(fd, entry)
        finally:
            os.close(fd)
        self._since_look += entry.size
        if self._since_look > LOOK_EVERY:
            self._since_look = 0
            disk = os.fstatvfs(self._root)
            if disk.f_bavail * disk.f_frsize < LIMITS.reserve_bytes:
                raise NoRoom

    def _folder(self, folder: int, name: bytes, real: Parts, entry: Entry) -> None:
        self._meta[real] = entry
        with suppress(FileExistsError):
            os.mkdir(name, 0o755, dir_fd=folder)
            return
        if real in self._folders.whiteouts:
            self._folders.unhide(folder, name, real)
        elif not stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            os.mkdir(name, 0o755, dir_fd=self._clear(folder, name, real))

    def _link(self, name: bytes, parts: Parts, entry: Entry) -> None:
        target = parts_of(entry.link)
        missing = BadArchive(f"{shown(entry.name)} is a link to {shown(entry.link)}, which this layer does not hold")
        if not target:
            raise missing
        try:
            source, above = self._folders.above(target, make=False)
            if (*above, target[-1]) in self._folders.whiteouts:
                raise missing
            status = os.stat(target[-1], dir_fd=source, follow_symlinks=False)
        except FileNotFoundError:
            raise missing from None
        if stat.S_ISDIR(status.st_mode):
            raise BadArchive(f"{shown(entry.name)} is a hard link to the folder {shown(entry.link)}")
        source = os.dup(source)  # the next look-up may close it
        try:
            folder, own = self._folders.above(parts)
            if (*own, name) == (*above, target[-1]):
                return
            folder = self._clear(folder, name, (*own, name))
            os.link(target[-1], name, src_dir_fd=source, dst_dir_fd=folder, follow_symlinks=False)
        finally:
            os.close(source)

    def _hide(self, parts: Parts) -> None:
        """A whiteout hides what is below, never what this layer has itself: a file hides by itself, and a folder that
        is there already keeps what this layer has in it."""
        folder, above = self._folders.above(parts)
        name, real = parts[-1], (*above, parts[-1])
        try:
            os.mknod(name, stat.S_IFCHR, 0, dir_fd=folder)
            self._folders.whiteouts.add(real)
        except FileExistsError:
            if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                empty(self._folders.at(real)[0])
                self._folders.implied.discard(real)  # a new folder, whatever was below

    def _clear(self, folder: int, name: bytes, real: Parts) -> int:
        """The place is free then; `folder` anew, since what was open may be gone."""
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return folder
        self._folders.whiteouts.discard(real)
        if stat.S_ISDIR(status.st_mode):
            shutil.rmtree(name, dir_fd=folder)
        else:
            os.unlink(name, dir_fd=folder)
            if not stat.S_ISLNK(status.st_mode):
                return folder
        self._folders.forget()
        return self._folders.at(real[:-1])[0]

    def _dress(self, fd: int, entry: Entry) -> None:
        """Owner before mode and attributes: giving a file away takes setuid and capabilities off it."""
        if self._may_give and (entry.uid or entry.gid):
            with self._giving():
                os.fchown(fd, entry.uid, entry.gid)
        if entry.mode & 0o7000 or entry.kind == tar.FOLDER:
            os.fchmod(fd, entry.mode)
        for key, value in entry.xattrs.items():
            if not key.startswith(UNTRUSTED):
                with suppress(OSError):  # a file system, or a user, without this kind of attribute
                    os.setxattr(fd, key, value)
        os.utime(fd, ns=(entry.mtime_ns, entry.mtime_ns))

    def _own(self, folder: int, name: bytes, entry: Entry) -> None:
        if self._may_give and (entry.uid or entry.gid):
            with self._giving():
                os.chown(name, entry.uid, entry.gid, dir_fd=folder, follow_symlinks=False)
        os.utime(name, ns=(entry.mtime_ns, entry.mtime_ns), dir_fd=folder, follow_symlinks=False)

    @contextmanager
    def _giving(self) -> Iterator[None]:
        """In a user namespace even its root may only give to those who are in it."""
        try:
            yield
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EPERM):
                raise
            self._may_give = False
