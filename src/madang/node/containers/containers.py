"""From an image and a pod to what a container runtime starts: everything that is not decided by values alone.

In: the store of images, this machine. Out: images by name, programs as the pod worker knows them, launches with a
`Container`. What an image's own files say of its users is read once an image.
"""

import os
import stat
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from madang.node.containers.security import Denied, root_refused, wish
from madang.node.containers.spec import Device, config
from madang.node.images.holders import of_pod
from madang.node.images.image import Image
from madang.node.images.images import NotHere
from madang.node.images.reference import parse
from madang.node.images.store import Store
from madang.node.pod.spec import Role
from madang.node.runtimes.oci.layered import Layers
from madang.node.runtimes.oci.machine import Machine
from madang.node.runtimes.oci.rootfs import TooManyLayers, plan
from madang.node.runtimes.oci.users import NoSuchUser, resolve
from madang.node.runtimes.runtime import Container, Launch
from madang.ports.objects import Obj
from madang.ports.program import Program

# Of a container's programs, as containerd sets it where the image says nothing.
BASE = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


class Containers:
    def __init__(self, store: Store, machine: Machine, court: str = "") -> None:
        """`court` is who holds images: a store is shared by all courtyards of a user."""
        self.store, self._machine, self._court = store, machine, court

    def find(self, reference: str) -> Image | None:
        """None also where the name is none."""
        return found(self.store, reference)

    def resolve(self, reference: str, policy: str) -> Program | NotHere:
        """What an image wants to run."""
        image = self.find(reference)
        if image is None:
            return _not_here(reference, policy)
        return Program(
            reference,
            Path("/"),
            entrypoint=image.config.entrypoint,
            command=image.config.cmd,
            env=dict(image.config.env),
            cwd=image.config.workdir or "/",
            user=image.config.user,
            stop_signal=image.config.stop_signal,
        )

    def contained(self, pod: Obj, role: Role, launch: Launch, whole_name: str, ipc: Path | None = None) -> Launch:
        """The launch with its container (`ipc` is its). Raises Denied in the words of the container's status."""
        reference = str(role.spec.get("image") or "")
        image = self.find(reference)
        if image is None:
            raise Denied(f'image "{reference}" was removed')
        layers = image.folders
        asked = wish(pod, role, image.config.user)
        if why := root_refused(pod, role, asked, whole_name):
            raise Denied(why)
        privileged = bool((role.spec.get("securityContext") or {}).get("privileged"))
        try:
            plan(layers)
            who = resolve(asked, *_names(layers))
            document = config(pod, role, launch, who, self._machine, list(devices()) if privileged else ())
        except (NoSuchUser, TooManyLayers) as error:
            raise Denied(str(error)) from error
        return replace(launch, container=Container(layers, document, ipc))

    def hold(self, reference: str, uid: str) -> None:
        """Keep an image for a pod. Blocks on the disk. Raises OSError."""
        if (image := self.find(reference)) is not None:
            self.store.hold(image, of_pod(uid, self._court))

    def release_all_but(self, uids: Collection[str]) -> None:
        """Let go of the images of pods that are no more."""
        self.store.keep_holders(self._court, {of_pod(uid, self._court) for uid in uids})


def found(store: Store, reference: str) -> Image | None:
    """What a name means there; a name that is none means nothing."""
    try:
        return store.find(reference)
    except (ValueError, OSError):
        return None


@lru_cache(64)
def _names(layers: tuple[Path, ...]) -> tuple[str, str]:
    """The texts of passwd and group. A layer's folder is named after what it holds, and never changes."""
    files = Layers(layers)
    return files.text("/etc/passwd"), files.text("/etc/group")


def _not_here(reference: str, policy: str) -> NotHere:
    try:
        parse(reference)
    except ValueError as error:
        message = f'Failed to apply default image tag "{reference}": couldn\'t parse image name "{reference}": {error}'
        return NotHere("InvalidImageName", message)
    if policy == "Never":
        message = f'Container image "{reference}" is not present with pull policy of Never'
        return NotHere("ErrImageNeverPull", message)
    return NotHere("ErrImagePull", f'image "{reference}" is not here: load it with `madang image load`')


def devices(root: str = "/dev") -> Iterator[Device]:
    """Those of this machine, for who may have them all. What every container has of its own is left out."""
    own = {"pts", "shm", "mqueue", "fd", "console", "ptmx", "tty", "null", "zero", "full", "random", "urandom"}
    for folder, below, names in os.walk(root):
        if folder == root:
            below[:] = [name for name in below if name not in own]
        for name in names:
            if folder == root and name in own:
                continue
            path = os.path.join(folder, name)
            with suppress(OSError):
                found = os.lstat(path)
                kind = "c" if stat.S_ISCHR(found.st_mode) else "b" if stat.S_ISBLK(found.st_mode) else ""
                if kind and not (kind == "c" and found.st_rdev == 0):
                    number = os.major(found.st_rdev), os.minor(found.st_rdev)
                    yield Device(path, kind, *number, stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid)
