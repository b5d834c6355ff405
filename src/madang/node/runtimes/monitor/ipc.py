"""The IPC namespace that a pod's containers share: that of any monitor of the pod that lives, else a new one.

In: a file of the pod, where each monitor writes who it is on this machine. Out: the calling process is in the pod's
namespace. Nobody holds it besides the containers: with the last of them it goes, and nothing is left to sweep.
"""

import fcntl
import os

from madang.node.runtimes.monitor import record, syscalls

OWN = "/proc/1/ns/ipc"  # as the runtime names its monitor's: the first process of their PID namespace


def enter(place: str, proc: int) -> None:
    """`proc` is the machine's /proc. Containers that start at the same moment wait for each other."""
    file = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        living = [line for line in os.pread(file, 1 << 16, 0).decode().splitlines() if _alive(line, proc)]
        if not any(_join(line, proc) for line in living):
            syscalls.unshare(syscalls.CLONE_NEWIPC)
        own = os.readlink("self", dir_fd=proc)
        text = "".join(f"{line}\n" for line in [*living, f"{own} {record.ticks(own, proc)}"])
        os.ftruncate(file, 0)
        os.pwrite(file, text.encode(), 0)
    finally:
        os.close(file)


def _alive(line: str, proc: int) -> bool:
    pid, _, started = line.partition(" ")
    return pid.isdigit() and str(record.ticks(pid, proc)) == started


def _join(line: str, proc: int) -> bool:
    """False where it has gone meanwhile."""
    try:
        fd = os.open(f"{line.partition(' ')[0]}/ns/ipc", os.O_RDONLY | os.O_CLOEXEC, dir_fd=proc)
    except OSError:
        return False
    try:
        if not _alive(line, proc):  # somebody else has its number
            return False
        syscalls.setns(fd, syscalls.CLONE_NEWIPC)
    finally:
        os.close(fd)
    return True
