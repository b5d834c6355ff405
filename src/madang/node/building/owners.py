"""Who files belong to: `--chown` and USER, as the image's own passwd and group explain them.

In: the words, the image's files as a `Tree`. Out: numbers. A number stands for itself, and for the group too where
none is named. OSError and NoSuchUser say what is not there.
"""

import os
import stat

from madang.node.building.trees import Tree
from madang.node.runtimes.oci.users import Who, Wish, resolve

MOST_BYTES = 4 << 20


def text(tree: Tree, path: str) -> str:
    """A small file of the image; empty where there is none."""
    found = tree.resolve(path)
    status = tree.look(found)
    if status is None or not stat.S_ISREG(status.st_mode):
        return ""
    fd = os.open(tree.root / found, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        return os.read(fd, MOST_BYTES).decode("utf-8", "replace")
    finally:
        os.close(fd)


def who(tree: Tree, user: str) -> Who:
    """Of a program."""
    return resolve(Wish(image=user), text(tree, "etc/passwd"), text(tree, "etc/group"))


def owner(tree: Tree, chown: str) -> tuple[int, int]:
    """Of files."""
    user, _, group = chown.partition(":")
    if user.isdigit():
        uid = gid = int(user)
    else:
        found = who(tree, user)
        uid, gid = found.uid, found.gid
    if group:
        gid = int(group) if group.isdigit() else who(tree, f"0:{group}").gid
    return uid, gid
