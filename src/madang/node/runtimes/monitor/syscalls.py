"""The Linux calls that Python 3.11 has no name for: namespaces, mounts, prctl.

In: plain values. Out: nothing, or OSError with the call's name and the path it was about.
"""

import ctypes
import os

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 0x1, 0x2, 0x4, 0x8
AT_FDCWD, OPEN_TREE_CLONE, MOVE_MOUNT_F_EMPTY_PATH = -100, 1, 4
MS_REMOUNT, MS_BIND, MS_REC = 0x20, 0x1000, 0x4000
MS_PRIVATE, MS_SLAVE, MS_SHARED = 1 << 18, 1 << 19, 1 << 20
MNT_DETACH = 2

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, call: str, about: str = "") -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}", about or None)


def unshare(flags: int) -> None:
    _checked(_libc.unshare(flags), "unshare")


def clone_mount(path: str) -> int:
    """A descriptor of a copy of the mount at `path`, which is in no namespace (open_tree(2), Linux 5.2)."""
    fd: int = _libc.syscall(428, AT_FDCWD, path.encode(), OPEN_TREE_CLONE | os.O_CLOEXEC)
    _checked(min(fd, 0), "open_tree", path)
    return fd


def place_mount(fd: int, path: str) -> None:
    """What `clone_mount` gave (move_mount(2), Linux 5.2)."""
    _checked(_libc.syscall(429, fd, b"", AT_FDCWD, path.encode(), MOVE_MOUNT_F_EMPTY_PATH), "move_mount", path)


def setns(fd: int, kind: int = 0) -> None:
    _checked(_libc.setns(fd, kind), "setns")


def mount(source: str, target: str, fstype: str = "", flags: int = 0, data: str = "") -> None:
    result = _libc.mount(
        os.fsencode(source),
        os.fsencode(target),
        fstype.encode() or None,
        ctypes.c_ulong(flags),
        data.encode() or None,
    )
    _checked(result, "mount", f"{source} on {target}")


def umount(target: str, flags: int = MNT_DETACH) -> None:
    _checked(_libc.umount2(os.fsencode(target), flags), "umount", target)


def pivot_root(new: str, old: str) -> None:
    number = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "armv7l": 218, "i686": 217, "ppc64le": 203, "s390x": 217}
    machine = os.uname().machine
    if machine not in number:
        raise OSError(38, f"pivot_root: unknown machine {machine}")
    _checked(_libc.syscall(ctypes.c_long(number[machine]), os.fsencode(new), os.fsencode(old)), "pivot_root", new)


def name_process(name: str) -> None:
    """What `ps` and `top` call it (at most 15 bytes)."""
    _libc.prctl(PR_SET_NAME, name.encode(), 0, 0, 0)


def prctl(option: int, argument: int) -> None:
    _checked(_libc.prctl(option, ctypes.c_ulong(argument), 0, 0, 0), "prctl")
