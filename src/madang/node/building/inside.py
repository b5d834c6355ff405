"""Where a build's mounts and programs live: namespaces of its own, so that all of it goes when the build does.

In: nothing; called before the process has a second thread. Out: root has a mount namespace; anybody else is root in a
user namespace from then on, with the ids that `/etc/subuid` and `/etc/subgid` lend where `newuidmap` is found, else
with the own one alone. The network stays the machine's.
"""

import os
from pathlib import Path

from madang.node.building import overlay
from madang.node.building.runner import Unable
from madang.node.runtimes.monitor import syscalls
from madang.porch import namespaces

EVERYBODY = 1 << 16  # fewer ids than that are not those of the machine itself


def enter() -> None:
    """Raises Unable where an ordinary user may not."""
    if os.geteuid() != 0:
        try:
            fds = namespaces.make()
            try:
                syscalls.setns(fds[0], syscalls.CLONE_NEWUSER)
            finally:
                for fd in fds:
                    os.close(fd)
        except OSError as error:
            raise Unable(f"images are built by root, or in a user namespace: {error.strerror or error}") from error
    overlay.own_mounts()


def maps(text: str, number: int) -> bool:
    """Whether a map has that id. Pure."""
    rows = [[int(word) for word in line.split()] for line in text.splitlines() if line.strip()]
    return any(first <= number < first + count for first, _, count in rows)


def few() -> bool:
    """Whether files cannot belong to several users: no ids are lent to this one."""
    return overlay.held(Path("/proc/self/uid_map").read_text()) < EVERYBODY - 1
