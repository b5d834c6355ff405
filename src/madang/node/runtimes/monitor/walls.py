"""The walls around a container: its own mounts, its own root where a mount needs a place that isn't there.

In: mount specifications. Out: a mount namespace in which they stand. The machine's own file system is never
written to for this: where a target's folder doesn't exist, the nearest folder that does is replaced, in this
namespace alone, by a memory folder that shows the same entries plus the new one.
"""

import os
import stat
from collections.abc import Sequence

from madang.node.runtimes.monitor.request import MountSpec
from madang.node.runtimes.monitor.syscalls import (
    MNT_DETACH,
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
    MS_SLAVE,
    mount,
    pivot_root,
    umount,
)

# Terminals and disks of the machine: too many to mount one by one, and nothing that a service opens.
UNSHOWN_DEVICES = ("tty", "vcs", "loop", "ram", "ptyp", "ttyp", "nbd", "dm-")
LOCKED = ((os.ST_NOSUID, MS_NOSUID), (os.ST_NODEV, MS_NODEV), (os.ST_NOEXEC, MS_NOEXEC), (os.ST_RDONLY, MS_RDONLY))


def apart(hide: Sequence[str]) -> None:
    """After unshare: what the machine unmounts goes here too, what is mounted here stays here. `hide` are mounts
    that would otherwise be kept alive by this namespace's copy."""
    mount("none", "/", flags=MS_REC | MS_SLAVE)
    for path in hide:
        try:
            umount(path, MNT_DETACH)
        except OSError:
            continue


def build(mounts: Sequence[MountSpec], own_folder: str, staging: str) -> None:
    """`own_folder` is the pod's: places in it, and in what is mounted, are made where they are. `staging` is an
    existing folder that may be covered while a new root is put together."""
    open_places = [own_folder] if own_folder.strip("/").count("/") else []  # never the root, nor /var
    for spec in _ordered(mounts):
        is_folder = spec["tmpfs"] or os.path.isdir(spec["source"])
        target = _place(os.path.normpath(spec["target"]), is_folder, open_places, staging)
        _cover(spec, target)
        open_places.append(target)
    if not os.path.isdir(own_folder):
        os.makedirs(own_folder)  # a mount lies over it


def _ordered(mounts: Sequence[MountSpec]) -> list[MountSpec]:
    """Outer places before inner ones; but what would hide the sources of others (a volume on /tmp, while the house
    lives below /tmp) comes last."""
    sources = [m["source"] for m in mounts if not m["tmpfs"]]

    def place(m: MountSpec) -> tuple[bool, int]:
        target = os.path.normpath(m["target"])
        hides = any(_inside(s, target) for s in sources if s != m["source"])
        return hides, len(target.strip("/").split("/"))

    return sorted(mounts, key=place)


def own_proc() -> None:
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)


def _cover(spec: MountSpec, target: str) -> None:
    if spec["tmpfs"]:
        size = f",size={spec['size_bytes']}" if spec["size_bytes"] else ""
        mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, f"mode=1777{size}")
        return
    mount(spec["source"], target, flags=MS_BIND | MS_REC)
    if spec["read_only"]:
        # A user namespace may not drop flags that the mount came with: name them again.
        kept = sum(flag for bit, flag in LOCKED if os.statvfs(target).f_flag & bit)
        mount("none", target, flags=MS_BIND | MS_REMOUNT | MS_RDONLY | kept)


def _place(target: str, is_folder: bool, open_places: Sequence[str], staging: str) -> str:
    """The path to mount on, made if it is missing. Links are followed as an opening program would."""
    real = os.path.realpath(target)
    if os.path.lexists(real):
        return real
    ancestor = os.path.dirname(real)
    while not os.path.isdir(ancestor):
        ancestor = os.path.dirname(ancestor)
    if not any(_inside(ancestor, place) for place in open_places):
        if ancestor == "/":
            _mirror_root(staging)
        else:
            _mirror(ancestor)
    if is_folder:
        os.makedirs(real, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(real), exist_ok=True)
        os.close(os.open(real, os.O_CREAT | os.O_WRONLY, 0o666))
    return real


def _inside(path: str, place: str) -> bool:
    return path == place or path.startswith(place.rstrip("/") + "/")


def _mirror(folder: str) -> None:
    """Cover a folder with a memory one of the same entries."""
    under = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        mode = stat.S_IMODE(os.fstat(under).st_mode)
        mount("tmpfs", folder, "tmpfs", MS_NOSUID if folder != "/dev" else 0, f"mode={mode:o}")
        _show(f"/proc/self/fd/{under}", folder)
    finally:
        os.close(under)


def _mirror_root(staging: str) -> None:
    mount("tmpfs", staging, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    _show("/", staging)
    os.chdir(staging)
    pivot_root(".", ".")  # the old root now lies over the new one (pivot_root(2), notes)
    umount(".", MNT_DETACH)
    os.chdir("/")


def _show(source: str, target: str) -> None:
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.name.startswith(UNSHOWN_DEVICES) and entry.name != "tty" and target == "/dev":
                continue
            place = f"{target}/{entry.name}"
            if entry.is_symlink():
                os.symlink(os.readlink(entry.path), place)
            elif entry.is_dir():
                os.mkdir(place)
                mount(entry.path, place, flags=MS_BIND | MS_REC)
            else:
                os.close(os.open(place, os.O_CREAT | os.O_WRONLY, 0o600))
                mount(entry.path, place, flags=MS_BIND)
