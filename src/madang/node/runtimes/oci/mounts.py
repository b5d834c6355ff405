"""What lies where in a container: the kernel's own file systems, then volumes and the house's files.

In: the launch's mounts, whether it is privileged, whether the network is its own. Out: the `mounts` list, outer
places before inner ones; what the pod mounts at a place of ours wins.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from madang.node.runtimes.monitor.ipc import SHM, SHM_BYTES
from madang.node.runtimes.runtime import Mount

HELD = "part"


def mounts(asked: Sequence[Mount], *, privileged: bool) -> list[dict[str, Any]]:
    taken = {_clean(mount.target) for mount in asked}
    own = [mount for mount in _kernel(privileged) if mount["destination"] not in taken]
    return own + [_entry(mount) for mount in sorted(asked, key=lambda m: (_depth(m.target), m.target))]


def _kernel(privileged: bool) -> Iterable[dict[str, Any]]:
    kept = "rw" if privileged else "ro"
    quiet = ["nosuid", "noexec", "nodev"]
    yield _mount("/proc", "proc", quiet)
    yield _mount("/dev", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"])
    yield _mount("/dev/pts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"])
    yield _mount("/dev/mqueue", "mqueue", quiet)
    yield _mount("/sys", "sysfs", [*quiet, kept])
    yield _mount("/sys/fs/cgroup", "cgroup", [*quiet, "relatime", kept])
    yield _mount("/dev/shm", "tmpfs", [*quiet, "mode=1777", f"size={SHM_BYTES}"], source="shm")


def shared_memory() -> dict[str, Any]:
    """/dev/shm where the start's folder shows the pod's."""
    options = ["bind", "rprivate", "nosuid", "noexec", "nodev", "rw"]
    return _mount("/dev/shm", "bind", options, source=SHM)


def _entry(mount: Mount) -> dict[str, Any]:
    if mount.tmpfs:
        size = [f"size={mount.size_bytes}"] if mount.size_bytes else []
        return _mount(mount.target, "tmpfs", ["nosuid", "nodev", "mode=1777", *size])
    way = "ro" if mount.read_only else "rw"
    source = str(mount.source) if mount.within is None else held(mount)
    return _mount(mount.target, "bind", ["rbind", "rprivate", way], source=source)


def held(mount: Mount) -> str:
    """Where in the start's folder the monitor shows a part of a volume: no way that programs change is gone twice."""
    return f"{HELD}-{hashlib.sha1(mount.target.encode(), usedforsecurity=False).hexdigest()[:12]}"


def _mount(target: str, kind: str, options: list[str], source: str = "") -> dict[str, Any]:
    return {"destination": _clean(target), "type": kind, "source": source or kind, "options": options}


def _clean(path: str) -> str:
    return "/" + path.strip("/")


def _depth(path: str) -> int:
    return len([part for part in path.split("/") if part])
