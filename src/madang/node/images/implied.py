"""Folders that a layer fills without saying what they are: they are to be as the layers below have them.

An archive may hold `etc/app.conf` and no entry for `etc`. In an overlay the folder of the upper layer decides, so the
tree must carry the owner and mode that `etc` has below. In: the tree's list of such folders, and the trees below it.
Out: what is to be taken over; mostly nothing, and then one tree serves every image with this layer. Where something is,
the tree belongs to this stack alone (its name is that of the chain, as the OCI image specification computes it).
"""

import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from madang.node.images.folders import NEW, OPEN

OPAQUE = ("trusted.overlay.opaque", "user.overlay.opaque")


@dataclass(frozen=True, slots=True)
class Looks:
    mode: int
    uid: int
    gid: int
    xattrs: dict[str, bytes] = field(default_factory=dict)


def chain(below: str, diff_id: str) -> str:
    """The chain id of a layer on top of the chain `below`; empty is nothing below."""
    return f"sha256:{hashlib.sha256(f'{below} {diff_id}'.encode()).hexdigest()}" if below else diff_id


def to_adopt(implied: Iterable[str], below: Sequence[Path]) -> dict[str, Looks]:
    """`below`: the trees under this one, the highest first."""
    plain = Looks(NEW, os.geteuid(), os.getegid())
    found = {path: looks for path in implied if (looks := _looks(path, below)) is not None}
    return {path: looks for path, looks in found.items() if looks != plain}


def adopt(root: Path, looks: dict[str, Looks]) -> None:
    """In a tree of our own that nobody else sees yet; links in a path are refused by the kernel."""
    for path in sorted(looks, reverse=True):
        fd, _ = _descend(root, path)
        if fd is None:
            continue
        try:
            with suppress(PermissionError):
                os.fchown(fd, looks[path].uid, looks[path].gid)
            os.fchmod(fd, looks[path].mode)
            for key, value in looks[path].xattrs.items():
                with suppress(OSError):
                    os.setxattr(fd, key, value)
        finally:
            os.close(fd)


def _looks(path: str, below: Sequence[Path]) -> Looks | None:
    for tree in below:
        fd, last = _descend(tree, path)
        if fd is not None:
            try:
                status = os.fstat(fd)
                xattrs = {a: os.getxattr(fd, a) for a in os.listxattr(fd) if a not in OPAQUE}
                return Looks(stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, xattrs)
            finally:
                os.close(fd)
        if last:
            return None
    return None


def _descend(tree: Path, path: str) -> tuple[int | None, bool]:
    """(the folder's descriptor or None, whether the layers below this one are hidden there)."""
    fd = os.open(tree, OPEN)
    hidden = False
    for part in path.split("/") if path else ():
        try:
            inner = os.open(part, OPEN, dir_fd=fd)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                raise
            return None, hidden or error.errno != errno.ENOENT  # a whiteout, a file or a link ends it
        finally:
            os.close(fd)
        fd = inner
        hidden = hidden or any(a in OPAQUE for a in os.listxattr(fd))
    return fd, hidden
