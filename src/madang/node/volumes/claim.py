"""A claim as a pod's volume: the folder of the volume that it is bound to.

In: the pod, the volume, lookups. Out: the hostPath that stands for it. What cannot be had raises `Refused` in the
kubelet's words. Group ownership is given to all that lies in a folder that we made, as the kubelet does (`fsGroup`).
"""

import os
import stat
from pathlib import Path

from madang.kinds import claims as c
from madang.node.launch.environment import Lookup
from madang.node.volumes.content import Refused
from madang.ports.objects import Obj


def hosted(pod: Obj, claimed: c.Claimed, lookup: Lookup) -> tuple[Obj, Obj]:
    """(volume, the hostPath that it is)."""
    place = f"{pod['metadata']['namespace']}/{claimed.claim}"
    claim = lookup(c.CLAIMS, claimed.claim)
    if claim is None:
        raise Refused(f'error processing PVC {place}: failed to fetch PVC from API server: persistentvolumeclaims '
                      f'"{claimed.claim}" not found')  # fmt: skip
    if claimed.ephemeral and not _owned(claim, pod):
        raise Refused(f"PVC {place} was not created for pod (pod is not owner)")
    if "deletionTimestamp" in claim["metadata"]:
        raise Refused(f"error processing PVC {place}: PVC is being deleted")
    if (claim.get("status") or {}).get("phase") != "Bound":
        raise Refused(f"error processing PVC {place}: PVC is not bound")
    name = claim["spec"].get("volumeName") or ""
    volume = lookup(c.VOLUMES, name)
    if volume is None or not c.is_for(volume, claim):
        raise Refused(f'error processing PVC {place}: persistentvolume "{name}" is not bound to it')
    return volume, _path(volume)


def _path(volume: Obj) -> Obj:
    spec = volume["spec"]
    if spec.get("volumeMode") == "Block":
        raise Refused("block volumes aren't built yet; use volumeMode Filesystem")
    if spec.get("hostPath"):
        return dict(spec["hostPath"])
    if spec.get("local"):
        return {"path": spec["local"]["path"], "type": "Directory"}
    kind = next((k for k in spec if k not in _BESIDE), "none")
    raise Refused(f"persistent volumes of the kind {kind} aren't built yet; use hostPath or local")


_BESIDE = frozenset({
    "capacity", "accessModes", "claimRef", "persistentVolumeReclaimPolicy", "storageClassName", "mountOptions",
    "volumeMode", "nodeAffinity", "volumeAttributesClassName",
})  # fmt: skip


def _owned(claim: Obj, pod: Obj) -> bool:
    return any(r.get("uid") == pod["metadata"]["uid"] for r in claim["metadata"].get("ownerReferences") or ())


def open_to_all(folder: Path) -> None:
    """A volume is written by whoever its pods run as."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)


def give(folder: Path, group: int, policy: str) -> None:
    """Give everything below to a group. `policy` OnRootMismatch: only where the folder itself is not its yet."""
    info = folder.stat()
    if policy == "OnRootMismatch" and info.st_gid == group and info.st_mode & stat.S_ISGID:
        return
    for _, folders, files, at in os.fwalk(folder, follow_symlinks=False):
        for name in files:
            _give(name, at, group, 0o660, 0)
        for name in folders:
            _give(name, at, group, 0o770, stat.S_ISGID)
    os.chown(folder, -1, group)
    folder.chmod(stat.S_IMODE(info.st_mode) | stat.S_ISGID | 0o770)


def _give(name: str, at: int, group: int, more: int, sticky: int) -> None:
    """By a descriptor of the thing itself: programs write here, and may put a link in its place meanwhile."""
    try:
        fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
    except OSError:
        return  # gone meanwhile
    try:
        info = os.fstat(fd)
        if not stat.S_ISLNK(info.st_mode):
            os.chown(f"/proc/self/fd/{fd}", -1, group)
            os.chmod(f"/proc/self/fd/{fd}", stat.S_IMODE(info.st_mode) | more | sticky)
    finally:
        os.close(fd)
