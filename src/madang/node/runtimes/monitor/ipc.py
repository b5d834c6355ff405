"""The IPC namespace and the /dev/shm that a pod's containers share: of any monitor of the pod that lives, else new.

In: a file of the pod, where each monitor writes who it is on this machine. Out: the calling process is in the pod's
namespace, and its folder shows the pod's memory. Nobody holds them besides the containers: with the last of them they
go, and nothing is left to sweep.
"""

import errno
import fcntl
import os
from collections.abc import Callable

from madang.node.runtimes.monitor import record, syscalls

OWN = "/proc/1/ns/ipc"  # as the runtime names its monitor's: the first process of their PID namespace
SHM, SHM_BYTES = "shm", 64 * 1024 * 1024  # in the start's folder: what lies at /dev/shm


def enter(place: str, proc: int, folder: str, own: str, follow: Callable[[int], None] | None = None) -> None:
    """`proc` is the machine's /proc, `own` the monitor there; `folder` gets the pod's shared memory at `shm`. The
    mounts are ours alone already. Containers that start at the same moment wait for each other. `follow` takes the
    monitor along, where that is somebody else than the calling process."""
    file = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        living = [line for line in os.pread(file, 1 << 16, 0).decode().splitlines() if _alive(line, proc)]
        os.makedirs(f"{folder}/{SHM}", exist_ok=True)
        if not any(_join(line, proc, folder) for line in living):
            syscalls.unshare(syscalls.CLONE_NEWIPC)
            _new_memory(folder)
        if follow is not None:
            ours = os.open(f"{os.readlink('self', dir_fd=proc)}/ns/ipc", os.O_RDONLY | os.O_CLOEXEC, dir_fd=proc)
            try:
                follow(ours)
            finally:
                os.close(ours)
        text = "".join(f"{line}\n" for line in [*living, f"{own} {record.ticks(own, proc)} {folder}"])
        os.ftruncate(file, 0)
        os.pwrite(file, text.encode(), 0)
    finally:
        os.close(file)


def _new_memory(folder: str) -> None:
    flags = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
    syscalls.mount("shm", f"{folder}/{SHM}", "tmpfs", flags, f"mode=1777,size={SHM_BYTES}")


def _alive(line: str, proc: int) -> bool:
    pid, _, rest = line.partition(" ")
    return pid.isdigit() and str(record.ticks(pid, proc)) == rest.partition(" ")[0]


def _join(line: str, proc: int, folder: str) -> bool:
    """False where it has gone meanwhile."""
    pid, _, rest = line.partition(" ")
    theirs = rest.partition(" ")[2]
    opened: list[int] = []
    try:
        opened += [os.open(f"{pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC, dir_fd=proc) for kind in ("ipc", "mnt")]
        opened.append(os.open("self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC, dir_fd=proc))
        if not _alive(line, proc):  # somebody else has its number
            return False
        syscalls.setns(opened[0], syscalls.CLONE_NEWIPC)
        _share_memory(opened[1], opened[2], theirs, folder)
    except FileNotFoundError:
        return False
    finally:
        for fd in opened:
            os.close(fd)
    return True


def _share_memory(there: int, here: int, theirs: str, ours: str) -> None:
    """A mount goes from one namespace to another only in somebody's hand."""
    syscalls.setns(there, syscalls.CLONE_NEWNS)
    try:
        held = syscalls.clone_mount(f"{theirs}/{SHM}")
    except OSError as error:
        if error.errno not in (errno.ENOSYS, errno.EPERM):  # before Linux 5.2, or forbidden to us: each has its own
            raise
        held = -1
    finally:
        syscalls.setns(here, syscalls.CLONE_NEWNS)
    if held < 0:
        _new_memory(ours)
        return
    try:
        syscalls.place_mount(held, f"{ours}/{SHM}")
    finally:
        os.close(held)
