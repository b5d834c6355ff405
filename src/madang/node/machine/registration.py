"""The Node object, as a kubelet registers it (pure).

In: the machine, which of how many nodes this is, its runtime and network. Out: the object to create, its status, and
the events that go with a condition's change.
"""

from dataclasses import dataclass

from madang import __version__
from madang.kinds.times import format_seconds
from madang.node.machine.machine import PODS, Machine, Pressure
from madang.ports.objects import Obj
from madang.ports.settings import BROKEN, DOMAIN

KUBELET_VERSION = "v1.36.2"
NOT_READY = "node.kubernetes.io/not-ready"
LEASE_S = 40
HOST = f"{DOMAIN}/host"  # the annotation of every Node that is a part of this machine
# condition -> (reason when well, message, reason when not, message)
_PRESSURES = {
    "MemoryPressure": ("KubeletHasSufficientMemory", "kubelet has sufficient memory available",
                       "KubeletHasInsufficientMemory", "kubelet has insufficient memory available"),
    "DiskPressure": ("KubeletHasNoDiskPressure", "kubelet has no disk pressure",
                     "KubeletHasDiskPressure", "kubelet has disk pressure"),
    "PIDPressure": ("KubeletHasSufficientPID", "kubelet has sufficient PID available",
                    "KubeletHasInsufficientPID", "kubelet has insufficient PID available"),
}  # fmt: skip
# condition -> (event when well, event when not)
_EVENTS = {
    "MemoryPressure": ("NodeHasSufficientMemory", "NodeHasInsufficientMemory"),
    "DiskPressure": ("NodeHasNoDiskPressure", "NodeHasDiskPressure"),
    "PIDPressure": ("NodeHasSufficientPID", "NodeHasInsufficientPID"),
    "Ready": ("NodeReady", "NodeNotReady"),
}


@dataclass(frozen=True, slots=True)
class Share:
    """One of `of` equal parts of the machine."""

    name: str
    of: int
    address: str
    runtime: str
    pods: str = ""  # the range of its pods' addresses, where it has one of its own


def node(machine: Machine, share: Share) -> Obj:
    labels = {
        "beta.kubernetes.io/arch": machine.architecture,
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": machine.architecture,
        "kubernetes.io/hostname": share.name,
        "kubernetes.io/os": "linux",
    }
    annotations = {"volumes.kubernetes.io/controller-managed-attach-detach": "true", HOST: machine.hostname}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": share.name, "labels": labels, "annotations": annotations},
        "spec": {"podCIDR": share.pods, "podCIDRs": [share.pods]} if share.pods else {},
    }


def capacity(machine: Machine, share: Share) -> dict[str, str]:
    millis = machine.cpu_millis // share.of
    return {
        "cpu": str(millis // 1000) if millis % 1000 == 0 else f"{millis}m",
        "memory": f"{machine.memory_bytes // share.of // 1024}Ki",
        "ephemeral-storage": f"{machine.disk_bytes // share.of // 1024}Ki",
        "hugepages-2Mi": "0",
        "pods": str(PODS),
    }


def status(machine: Machine, share: Share, pressure: Pressure, before: Obj, now_s: float, *, ready: bool = True) -> Obj:
    """`before` is the status so far: a condition's transition is counted against it."""
    room = capacity(machine, share)
    return {
        "capacity": room,
        "allocatable": room,
        "conditions": conditions(pressure, before.get("conditions") or [], format_seconds(now_s), ready=ready),
        "addresses": [{"type": "InternalIP", "address": share.address}, {"type": "Hostname", "address": share.name}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 0}},
        "nodeInfo": {
            "machineID": machine.machine_id,
            "systemUUID": machine.machine_id,
            "bootID": machine.boot_id,
            "kernelVersion": machine.kernel,
            "osImage": machine.os_image,
            "containerRuntimeVersion": f"madang-{share.runtime}://{__version__}",
            "kubeletVersion": KUBELET_VERSION,
            "kubeProxyVersion": "",
            "operatingSystem": "linux",
            "architecture": machine.architecture,
        },
    }


def conditions(pressure: Pressure, before: list[Obj], at: str, *, ready: bool = True) -> list[Obj]:
    low = {"MemoryPressure": pressure.memory, "DiskPressure": pressure.disk, "PIDPressure": pressure.pids}
    found = []
    for kind, (well, message, ill, warning) in _PRESSURES.items():
        found.append((kind, "True", ill, warning) if low[kind] else (kind, "False", well, message))
    if ready:
        found.append(("Ready", "True", "KubeletReady", "kubelet is posting ready status"))
    else:
        found.append(("Ready", "False", "KubeletNotReady", "node is shutting down"))
    known = {c["type"]: c for c in before}
    theirs = [c for c in before if c["type"] not in _EVENTS]
    return [_condition(*one, known.get(one[0]), at) for one in found] + theirs


def _condition(kind: str, status: str, reason: str, message: str, before: Obj | None, at: str) -> Obj:
    moved = before.get("lastTransitionTime", at) if before is not None and before["status"] == status else at
    return {
        "type": kind,
        "status": status,
        "lastHeartbeatTime": at,
        "lastTransitionTime": moved,
        "reason": reason,
        "message": message,
    }


def says_ready(node: Obj) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def broken(node: Obj) -> str:
    """How somebody has broken this node on purpose; empty: it works."""
    word = str((node["metadata"].get("annotations") or {}).get(BROKEN, ""))
    return word if word in ("hang", "kill") else ""


def changes(name: str, before: list[Obj], after: list[Obj]) -> list[tuple[str, str, str]]:
    """(type, reason, message) of an event for each of a node's own conditions that has changed."""
    known = {c["type"]: c["status"] for c in before}
    events = []
    for c in after:
        if c["type"] in _EVENTS and known.get(c["type"]) != c["status"]:
            well = c["status"] == ("True" if c["type"] == "Ready" else "False")
            reason = _EVENTS[c["type"]][0 if well else 1]
            events.append(("Normal" if well else "Warning", reason, f"Node {name} status is now: {reason}"))
    return events


def lease(name: str, uid: str, now_s: float) -> Obj:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": name,
            "namespace": "kube-node-lease",
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": name, "uid": uid}],
        },
        "spec": {
            "holderIdentity": name,
            "leaseDurationSeconds": LEASE_S,
            "renewTime": format_seconds(now_s).replace("Z", ".000000Z"),
        },
    }
