"""Small files of an image, read from its layers without mounting anything.

In: the unpacked layers, the newest first; a path as the container's programs would say it. Out: the file's bytes.
An image is not to be trusted: a link is followed inside the image alone, nothing but a regular file of bounded size
is read, and nothing is opened through a link of the layers' own.
"""

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path

MOST_BYTES = 4 * 1024 * 1024
MOST_HOPS = 40
OPAQUE = ("trusted.overlay.opaque", "user.overlay.opaque")


class Layers:
    """The merged view that overlayfs would show, for looking up alone."""

    def __init__(self, folders: Sequence[Path | str]) -> None:
        self._folders = [str(folder) for folder in folders]

    def text(self, path: str) -> str:
        """Empty where there is no such file."""
        found = self._resolve(path)
        if found is None:
            return ""
        fd = _open(*found, os.O_RDONLY | os.O_NONBLOCK)
        if fd is None:
            return ""
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                return ""
            return os.read(fd, MOST_BYTES).decode("utf-8", "replace")
        finally:
            os.close(fd)

    def place(self, path: str) -> str:
        """What `path` names once all links are followed, from the root; empty where nothing is there."""
        found = self._resolve(path)
        return "/" + "/".join(found[1]) if found is not None else ""

    def _resolve(self, path: str) -> tuple[str, list[str]] | None:
        """(layer, parts) of what `path` names once all links are followed."""
        todo, hops = _parts(path), 0
        done: list[str] = []
        found: tuple[str, list[str]] | None = None
        while todo:
            part = todo.pop(0)
            if part == "..":
                done = done[:-1]
                continue
            found = self._find([*done, part])
            if found is None:
                return None
            target = _link(*found)
            if target is None:
                done.append(part)
                continue
            hops += 1
            if hops > MOST_HOPS:
                return None
            todo = [*_parts(target), *todo]
            if target.startswith("/"):
                done = []
        return self._find(done) if done else None

    def _find(self, parts: list[str]) -> tuple[str, list[str]] | None:
        """The newest layer that has it, unless a newer one has taken it away."""
        for layer in self._folders:
            match _look(layer, parts):
                case "here":
                    return layer, parts
                case "gone":
                    return None
        return None


def _look(layer: str, parts: list[str]) -> str:
    """here, gone (this layer takes it away from those below), or below."""
    at = os.open(layer, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    opaque = False
    try:
        for number, part in enumerate(parts):
            try:
                found = os.stat(part, dir_fd=at, follow_symlinks=False)
            except OSError:
                return "gone" if opaque else "below"
            if stat.S_ISCHR(found.st_mode) and found.st_rdev == 0:
                return "gone"
            if number == len(parts) - 1:
                return "here"
            if not stat.S_ISDIR(found.st_mode):
                return "gone"
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            os.close(at)
            at = below
            opaque = opaque or _is_opaque(at)
        return "below"
    finally:
        os.close(at)


def _is_opaque(fd: int) -> bool:
    for name in OPAQUE:
        try:
            if os.getxattr(fd, name) == b"y":
                return True
        except OSError as error:
            if error.errno not in (errno.ENODATA, errno.EOPNOTSUPP, errno.EPERM):
                raise
    return False


def _open(layer: str, parts: list[str], flags: int) -> int | None:
    """The last part, through folders only."""
    at = os.open(layer, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            below = os.open(part, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            os.close(at)
            at = below
        return os.open(parts[-1], flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
    except OSError:
        return None
    finally:
        os.close(at)


def _link(layer: str, parts: list[str]) -> str | None:
    fd = _open(layer, parts, os.O_PATH)
    if fd is None:
        return None
    try:
        return os.readlink("", dir_fd=fd) if stat.S_ISLNK(os.fstat(fd).st_mode) else None
    finally:
        os.close(fd)


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]
