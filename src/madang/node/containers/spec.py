"""`config.json`: one container, whole, as a value (OCI runtime specification 1.0).

In: the pod, the container, the launch that was put together for it, who its program is, the machine. Out: the
document. Pure: what it names is looked at by nobody here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from madang.node.containers.resources import oom_score, resources
from madang.node.containers.security import Rights, rights
from madang.node.pod.spec import Role
from madang.node.runtimes.monitor.runc import ROOT
from madang.node.runtimes.oci.machine import Machine
from madang.node.runtimes.oci.mounts import mounts
from madang.node.runtimes.oci.users import Who
from madang.node.runtimes.runtime import Launch
from madang.ports.objects import Obj

VERSION = "1.0.2"


@dataclass(frozen=True, slots=True)
class Device:
    """A device of the machine, for a privileged container. `kind`: c or b."""

    path: str
    kind: str
    major: int
    minor: int
    mode: int
    uid: int
    gid: int


def config(
    pod: Obj, role: Role, launch: Launch, who: Who, machine: Machine, devices: Sequence[Device] = ()
) -> dict[str, Any]:
    """The cgroup's path is the runtime's own to say. Raises Denied."""
    right = rights(pod, role, machine)
    return {
        "ociVersion": VERSION,
        "process": process(launch, who, right) | {"oomScoreAdj": oom_score(pod, role, machine)},
        "root": {"path": ROOT, "readonly": right.read_only_root},
        "hostname": launch.hostname,
        "mounts": mounts(launch.mounts, privileged=right.privileged),
        "annotations": annotations(pod, role),
        "linux": _linux(pod, role, launch, right, machine, devices),
    }


def process(launch: Launch, who: Who, right: Rights) -> dict[str, Any]:
    env = dict(launch.env)
    if launch.tty:
        env.setdefault("TERM", "xterm")
    held = list(right.capabilities)
    return {
        "terminal": launch.tty,
        "user": {"uid": who.uid, "gid": who.gid, "additionalGids": list(who.groups)},
        "args": list(launch.argv),
        "env": [f"{name}={value}" for name, value in env.items()],
        "cwd": launch.cwd or "/",
        # None is inheritable or ambient: a program of an ordinary user starts without any.
        "capabilities": {"bounding": held, "effective": held, "permitted": held},
        "noNewPrivileges": right.no_new_privileges,
    }


def _linux(
    pod: Obj, role: Role, launch: Launch, right: Rights, machine: Machine, devices: Sequence[Device]
) -> dict[str, Any]:
    linux: dict[str, Any] = {
        "namespaces": list(_namespaces(pod, launch, machine)),
        "resources": resources(role, machine) | {"devices": [{"allow": right.privileged, "access": "rwm"}]},
        "maskedPaths": list(right.masked),
        "readonlyPaths": list(right.read_only),
    }
    if right.seccomp is not None:
        linux["seccomp"] = right.seccomp
    if right.sysctls and launch.netns:
        linux["sysctl"] = right.sysctls
    if right.privileged:
        linux["devices"] = [_device(device) for device in devices]
    return linux


def _namespaces(pod: Obj, launch: Launch, machine: Machine) -> list[dict[str, str]]:
    """What is not named here is that of the monitor: the machine's."""
    kinds = ["pid", "mount", "uts"]
    if not pod["spec"].get("hostIPC"):
        kinds.append("ipc")
    if machine.cgroup == 2:
        kinds.append("cgroup")
    own = [{"type": kind} for kind in kinds]
    return [*own, {"type": "network", "path": launch.netns}] if launch.netns else own


def _device(device: Device) -> dict[str, Any]:
    return {
        "path": device.path,
        "type": device.kind,
        "major": device.major,
        "minor": device.minor,
        "fileMode": device.mode,
        "uid": device.uid,
        "gid": device.gid,
    }


def annotations(pod: Obj, role: Role) -> dict[str, str]:
    """For people and tools that look at the container from outside."""
    meta = pod["metadata"]
    return {
        "io.kubernetes.cri.container-name": role.name,
        "io.kubernetes.cri.sandbox-name": str(meta["name"]),
        "io.kubernetes.cri.sandbox-namespace": str(meta.get("namespace", "")),
        "io.kubernetes.cri.sandbox-uid": str(meta.get("uid", "")),
    }
