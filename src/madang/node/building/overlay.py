"""One root of many layers: an overlay mount, for as long as a block runs.

In: the layers' folders, the lowest first; a folder of one's own for what changes. Out: the merged root. Layers are
named by descriptors, so that neither the length of their paths nor a colon in them matters. The options keep each
layer whole in itself: no renamed folder and no changed mode is a mere reference to a layer below.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from madang.node.runtimes.monitor import syscalls

OPTIONS = "redirect_dir=off,metacopy=off,index=off"
# in a user namespace, where `trusted` attributes are root's outside alone; it implies that no folder is redirected
APART = "index=off,userxattr"
MOST_BYTES = 4095  # of all options


class TooManyLayers(OSError):
    pass


def own_mounts() -> None:
    """From here on this process's mounts are its own: they go when it does, however it ends. Before any thread."""
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount("none", "/", flags=syscalls.MS_REC | syscalls.MS_SLAVE)


def apart() -> bool:
    """Whether we are root among our own ids alone, in a user namespace."""
    return held(Path("/proc/self/uid_map").read_text()) < (1 << 32) - 1


def held(text: str) -> int:
    """How many ids a map has. Pure."""
    return sum(int(line.split()[2]) for line in text.splitlines() if line.strip())


@contextmanager
def merged(layers: Sequence[Path], work: Path, writable: bool = True) -> Iterator[Path]:
    """`work` gets `upper` (what changes), and `root`."""
    upper, inner, root, empty = (work / name for name in ("upper", "work", "root", "empty"))
    for folder in (upper, inner, root, empty):
        folder.mkdir(parents=True, exist_ok=True)
        os.chmod(folder, 0o755)
    below = list(dict.fromkeys(reversed(layers))) or [empty]  # twice the same: what counts is the upper one
    fds: list[int] = []
    try:
        fds = [os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC) for path in below]
        ends = [os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC) for path in (upper, inner)]
        fds += ends
        own = APART if apart() else OPTIONS
        lower = ":".join(f"/proc/self/fd/{fd}" for fd in fds[: len(below)])
        options = f"lowerdir={lower},{own}"
        if writable:
            options += f",upperdir=/proc/self/fd/{ends[0]},workdir=/proc/self/fd/{ends[1]}"
        elif len(below) == 1:
            options = f"lowerdir={lower}:{empty},{own}"  # nothing is merged with nothing: two at least
        if len(options) > MOST_BYTES:
            raise TooManyLayers(7, f"{len(below)} layers are more than can be stacked")
        syscalls.mount("overlay", str(root), "overlay", 0, options)
    finally:
        for fd in fds:
            os.close(fd)
    try:
        yield root
    finally:
        syscalls.umount(str(root))
