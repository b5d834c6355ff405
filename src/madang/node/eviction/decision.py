"""Which pod goes when memory or disk run low, and in which words (pure): as a kubelet ranks them, one at a look.

In: what runs low, the pods with what they use and have asked for. Out: one uid and its message, or nobody. Only who
uses more than it has asked for may go, and only where that is worth it: the machine is not ours alone, and what others
fill is not given back by ending pods that hold little. Critical pods stay, as on a cluster.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from madang.ports.objects import Obj

BY_KUBELET = "TerminationByKubelet"  # the reason of the condition that says who had it end
CRITICAL = 2_000_000_000  # the priority from which a pod is system-critical
WORTH_BYTES = {"memory": 32 << 20, "ephemeral-storage": 64 << 20}  # over its request


@dataclass(frozen=True, slots=True)
class Low:
    """`resource` as a container asks for it: memory, ephemeral-storage."""

    resource: str
    threshold_bytes: int
    available_bytes: int
    threshold: str = ""  # as it was set, where not in bytes


@dataclass(frozen=True, slots=True)
class Part:
    """One container's use."""

    name: str
    used_bytes: int
    request_bytes: int


@dataclass(frozen=True, slots=True)
class Candidate:
    uid: str
    priority: int
    parts: tuple[Part, ...]
    shared_bytes: int = 0  # used by the pod as such: its volumes

    @property
    def over_bytes(self) -> int:
        return sum(p.used_bytes - p.request_bytes for p in self.parts) + self.shared_bytes


def choose(low: Low, pods: Sequence[Candidate]) -> tuple[str, str] | None:
    """(uid, message). The least important first, among equals who is furthest over its request."""
    worth = [p for p in pods if p.priority < CRITICAL and p.over_bytes >= WORTH_BYTES[low.resource]]
    if not worth:
        return None
    first = min(worth, key=lambda p: (p.priority, -p.over_bytes, p.uid))
    return first.uid, message(low, first)


def message(low: Low, pod: Candidate) -> str:
    threshold = low.threshold or str(low.threshold_bytes)
    told = [f"The node was low on resource: {low.resource}. "]
    told.append(f"Threshold quantity: {threshold}, available: {low.available_bytes // 1024}Ki. ")
    for part in pod.parts:
        if part.used_bytes > part.request_bytes:
            asked = quantity(part.request_bytes)
            told.append(f"Container {part.name} was using {quantity(part.used_bytes)}, request is {asked}, ")
            told.append(f"has larger consumption of {low.resource}. ")
    return "".join(told)


def quantity(count: int) -> str:
    """Bytes as Kubernetes writes them in powers of two."""
    for suffix, size in (("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)):
        if count >= size and count % size == 0:
            return f"{count // size}{suffix}"
    return str(count)


def target(message: str, at: str, before: Sequence[Obj]) -> Obj:
    """The pod's condition DisruptionTarget."""
    known = next((c for c in before if c["type"] == "DisruptionTarget"), None)
    moved = known.get("lastTransitionTime", at) if known and known["status"] == "True" else at
    return {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": BY_KUBELET,
        "message": message,
        "lastProbeTime": None,
        "lastTransitionTime": moved,
    }
