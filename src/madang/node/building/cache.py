"""What was built before: a layer for each key.

In: a folder beside the images, the same for all courtyards of a user. Out: `Made` layers by key. A layer is its changes
as a folder, fit to be the lower layer of an overlay, and as the archive that an image names. Both are whole before the
key names them: it is written last, by rename. Builds hold `lock` together; whoever holds it alone sweeps what killed
ones left, and lets go of what was not used for longest.

    layers/HEX/fs, layers/HEX/blob     a layer by its diff_id
    keys/KEY                           which layer a step with this key made
    mounts/ID, mounts/ID.weight        what RUN --mount=type=cache keeps, and what it weighs
    work/                              what is not finished
"""

import ctypes
import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from madang.node.building.layers import Packed
from madang.node.images.layout import remove
from madang.node.images.place import builds

FORMAT = 1
LIMIT_BYTES = 10 << 30


@dataclass(frozen=True, slots=True)
class Made:
    diff_id: str
    size: int
    folder: Path
    blob: Path


class Cache:
    def __init__(self, home: Path) -> None:
        self.home = home
        for name in ("layers", "keys", "mounts", "work"):
            (home / name).mkdir(parents=True, exist_ok=True, mode=0o700)

    @classmethod
    def of(cls, court: Path) -> "Cache":
        """That of the courtyard at `court`, which all of its user's share. One that had its own in former times is
        emptied: it holds nothing that cannot be made again."""
        place, old = builds(court), court / "build"
        if (old / "keys").is_dir():
            with suppress(OSError):
                old.rename(place)
            remove(old)
        return cls(place)

    def find(self, key: str) -> Made | None:
        try:
            body = json.loads((self.home / "keys" / key).read_bytes())
        except (OSError, ValueError):
            return None
        made = self.made(str(body.get("diff_id")), int(body.get("size", 0)))
        if body.get("format") != FORMAT or not made.folder.is_dir() or not made.blob.is_file():
            return None
        with suppress(OSError):
            os.utime(self.home / "keys" / key)  # it was used
        return made

    def made(self, diff_id: str, size: int) -> Made:
        folder = self.home / "layers" / diff_id.removeprefix("sha256:")
        return Made(diff_id, size, folder / "fs", folder / "blob")

    def keep(self, key: str, upper: Path, blob: Path, packed: Packed) -> Made:
        """`upper` and `blob` are moved. Two that made the same keep one."""
        made = self.made(packed.diff_id, packed.size)
        new = self.home / "work" / secrets.token_hex(8)
        new.mkdir()
        upper.rename(new / "fs")
        blob.rename(new / "blob")
        try:
            new.rename(made.folder.parent)
        except OSError:
            remove(new)  # the same was made beside us, or before
        record = self.home / "work" / f"{secrets.token_hex(8)}.new"
        record.write_text(json.dumps({"format": FORMAT, "diff_id": packed.diff_id, "size": packed.size}))
        synced(self.home)
        record.rename(self.home / "keys" / key)
        return made

    def mount(self, identity: str) -> Path:
        """What a cache mount keeps; where there is such a one, it is used now."""
        place = self.home / "mounts" / sha256(identity.encode()).hexdigest()[:32]
        with suppress(FileNotFoundError):
            os.utime(place)
        return place

    @contextmanager
    def work(self) -> Iterator[Path]:
        """A folder of one's own, gone with the block."""
        own = self.home / "work" / secrets.token_hex(8)
        own.mkdir()
        try:
            yield own
        finally:
            remove(own)

    @contextmanager
    def locked(self) -> Iterator[int]:
        """A descriptor of the lock, not held yet."""
        fd = os.open(self.home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield fd
        finally:
            os.close(fd)

    @contextmanager
    def used(self, over: "Callable[[Cache], None]" = lambda _: None) -> Iterator[bool]:
        """While a build runs: was it alone when it began? The last to leave does `over` (pruning.py)."""
        with self.locked() as fd:
            first = alone(fd)
            if first:
                self.sweep()
            fcntl.flock(fd, fcntl.LOCK_SH)
            yield first
            if alone(fd):
                over(self)

    def sweep(self) -> None:
        """What builds that were killed left unfinished."""
        for left in (self.home / "work").iterdir():
            remove(left) if left.is_dir() else left.unlink()

    def find_silently(self, key: str) -> Made | None:
        """Without counting as use."""
        path = self.home / "keys" / key
        was = path.stat()
        found = self.find(key)
        os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
        return found


def alone(fd: int) -> bool:
    """Nobody else holds the lock (who held it with others now holds it alone). False leaves it as it was or free."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def synced(folder: Path) -> None:
    """All files of a step at once: one call for the file system is far quicker than one for each."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(fd) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(folder))
    finally:
        os.close(fd)
