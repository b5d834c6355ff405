"""Mounts without private mounts: what can still be honoured, as links inside the pod's own folder.

In: a `Launch`. Out: the reason why it can't run here, or the links to make. Nothing is ever made outside the pod's
folder: not on the machine's root, not in `/etc`.
"""

import os
from pathlib import Path

from madang.node.runtimes.runtime import Launch, Mount

# What the house adds to every pod. A process of the machine has the machine's own there; left out, not refused.
ADDED_BY_THE_HOUSE = (
    "/etc/hosts",
    "/etc/hostname",
    "/etc/resolv.conf",
    "/dev/termination-log",
    "/var/run/secrets/kubernetes.io/serviceaccount",
)


def refusal(launch: Launch) -> str:
    for mount in launch.mounts:
        if mount.target in ADDED_BY_THE_HOUSE:
            continue
        if mount.tmpfs:
            return (
                f"{mount.target} should be a memory file system, and this machine allows no private mounts here: "
                f"use a folder, or run as root or where user namespaces are allowed"
            )
        if not inside(mount.target, launch):
            return (
                f"mountPath {mount.target} lies outside the pod's folder {launch.cwd}, and this machine allows no "
                f"private mounts: mount below {launch.cwd}, or run as root or where user namespaces are allowed"
            )
        if taken(mount):
            return f"mountPath {mount.target} exists already and this machine allows no private mounts to cover it"
    return ""


def inside(target: str, launch: Launch) -> bool:
    path = os.path.normpath(target)
    places = [os.path.normpath(p) for p in (launch.cwd, str(launch.folder)) if p.strip("/")]
    return any(path.startswith(place + "/") for place in places)


def taken(mount: Mount) -> bool:
    target = Path(mount.target)
    if target.is_symlink() or not target.exists():
        return False
    return not (target.is_dir() and not any(target.iterdir()))


def link(launch: Launch) -> None:
    """A link where each mount should be; an empty folder or an older link gives way."""
    for mount in launch.mounts:
        target = Path(mount.target)
        if mount.target in ADDED_BY_THE_HOUSE or not inside(mount.target, launch):
            continue
        if target.is_symlink():
            target.unlink()
        elif target.is_dir():
            target.rmdir()
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(mount.source)
