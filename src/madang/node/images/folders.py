"""Finding a folder inside a layer's tree without ever leaving it, whatever links the layer made.

In: the tree's own descriptor and the parts of a name. Out: descriptors of folders. Every step opens one name below a
descriptor and follows nothing (O_NOFOLLOW); a symbolic link in the middle of a name is read and walked by ourselves,
and ends at the tree's root, as it would for a process whose root this is.
"""

import errno
import os
import stat
from collections import OrderedDict, deque
from collections.abc import Iterable

from madang.node.images.limits import BadArchive
from madang.node.images.names import shown

Parts = tuple[bytes, ...]
OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
LINKS = 40  # as many as the kernel follows
KEPT = 64  # descriptors of folders: entries come folder by folder
NEW = 0o755


class Folders:
    """`whiteouts` are the places where this layer has hidden something: where a folder takes such a place, it is made
    opaque (`opaque` says how)."""

    def __init__(self, root: int) -> None:
        self.root = root
        self.whiteouts: set[Parts] = set()
        self.implied: set[Parts] = set()  # made because something lies in them
        self._open: OrderedDict[Parts, tuple[int, Parts]] = OrderedDict()

    def above(self, parts: Parts, *, make: bool = True) -> tuple[int, Parts]:
        """(descriptor, real parts) of the folder that `parts` lies in. The descriptor is good until the next call."""
        return self.at(parts[:-1], make=make)

    def at(self, parts: Parts, *, make: bool = True) -> tuple[int, Parts]:
        if not parts:
            return self.root, ()
        found = self._open.get(parts)
        if found is None:
            found = self._open[parts] = self._below(parts, make) or self._walk(parts, make)
            if len(self._open) > KEPT:
                os.close(self._open.popitem(last=False)[1][0])
        else:
            self._open.move_to_end(parts)
        return found

    def forget(self) -> None:
        """Something was removed: what is open may not be what its name says any more."""
        for fd, _ in self._open.values():
            os.close(fd)
        self._open.clear()

    def _below(self, parts: Parts, make: bool) -> tuple[int, Parts] | None:
        """One step from the folder above, which is mostly open; None where a link must be walked."""
        folder, above = self.at(parts[:-1], make=make)
        real = (*above, parts[-1])
        found = self._step(folder, parts[-1], real, make)
        return (found, real) if isinstance(found, int) else None

    def _walk(self, parts: Parts, make: bool) -> tuple[int, Parts]:
        stack: list[int] = [os.dup(self.root)]
        real: list[bytes] = []
        todo, links = deque(parts), 0
        try:
            while todo:
                name = todo.popleft()
                if name == b"..":  # only from links; at the root it stays there
                    if real:
                        real.pop()
                        os.close(stack.pop())
                    continue
                found = self._step(stack[-1], name, (*real, name), make)
                if isinstance(found, int):
                    stack.append(found)
                    real.append(name)
                    continue
                links += 1
                if links > LINKS:
                    raise BadArchive(f"{shown(b'/'.join(parts))} goes through more than {LINKS} links")
                if found.startswith(b"/"):
                    _close(stack[1:])
                    del stack[1:], real[:]
                todo.extendleft(reversed([p for p in found.split(b"/") if p not in (b"", b".")]))
            return stack.pop(), tuple(real)
        finally:
            _close(stack)

    def _step(self, folder: int, name: bytes, real: Parts, make: bool) -> int | bytes:
        """The folder of that name, or where the link of that name leads."""
        try:
            return os.open(name, OPEN, dir_fd=folder)
        except FileNotFoundError:
            if not make:
                raise
            os.mkdir(name, NEW, dir_fd=folder)
            self.implied.add(real)
            return os.open(name, OPEN, dir_fd=folder)
        except OSError as error:
            if error.errno not in (errno.ENOTDIR, errno.ELOOP):
                raise
        if stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            return os.readlink(name, dir_fd=folder)
        if real in self.whiteouts and make:
            self.unhide(folder, name, real)
            return os.open(name, OPEN, dir_fd=folder)
        raise BadArchive(f"{shown(b'/'.join(real))} is no folder, but something lies in it")

    def unhide(self, folder: int, name: bytes, real: Parts) -> None:
        """A folder takes the place of a whiteout: the layers below stay hidden behind it."""
        self.whiteouts.discard(real)
        os.unlink(name, dir_fd=folder)
        os.mkdir(name, NEW, dir_fd=folder)
        fd = os.open(name, OPEN, dir_fd=folder)
        try:
            empty(fd)
        finally:
            os.close(fd)


def empty(fd: int) -> None:
    """Make the open folder opaque: overlayfs shows nothing of the layers below in it. Who may not set `trusted`
    attributes mounts with `userxattr`, where the name is another."""
    try:
        os.setxattr(fd, b"trusted.overlay.opaque", b"y")
    except PermissionError:
        os.setxattr(fd, b"user.overlay.opaque", b"y")


def _close(fds: Iterable[int]) -> None:
    for fd in fds:
        os.close(fd)
