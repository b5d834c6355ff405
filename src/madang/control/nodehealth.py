"""What a node's silence means: its conditions become Unknown, its pods are not ready, and when pods must leave it.

In: a Node, whether its agent answers, the Lease of one that has no agent here, the hour. Out: new conditions, or how
long to wait; patches of pods (kubernetes pkg/controller/nodelifecycle: tryUpdateNodeHealth, MarkPodsNotReady,
handleDisruption).
"""

from collections.abc import Iterable, Sequence

from madang.control import pods as pod
from madang.control.conditions import find
from madang.control.instant import seconds, stamp
from madang.ports.actions import Action, Emit, Patch
from madang.ports.objects import Obj
from madang.ports.view import View

NODES, LEASES, LEASE_NAMESPACE = "nodes", "leases.coordination.k8s.io", "kube-node-lease"
# For nodes whose agent is somebody else's and speaks by Leases and statuses alone, as Kubernetes has it.
GRACE_S, STARTUP_GRACE_S = 50.0, 60.0
JUDGED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
STOPPED = "NodeStatusUnknown", "Kubelet stopped posting node status."
NEVER = "NodeStatusNeverUpdated", "Kubelet never posted node status."
UNHEALTHY_ZONE, FEW = 0.55, 2  # so large a part of more than so few nodes: the fault is elsewhere


def quiet_in_s(node: Obj, view: View, now: float) -> float:
    """When a node without an agent here counts as silent, if it says nothing more; 0: now."""
    lease = view.get(LEASES, LEASE_NAMESPACE, node["metadata"]["name"])
    ready = find((node.get("status") or {}).get("conditions"), "Ready")
    said = [
        seconds(((lease or {}).get("spec") or {}).get("renewTime")),
        seconds((ready or {}).get("lastHeartbeatTime")),
    ]
    born = seconds(node["metadata"].get("creationTimestamp"))
    return max(0.0, max([born + STARTUP_GRACE_S, *(at + GRACE_S for at in said)]) - now)


def unknown(node: Obj, now: float) -> list[Obj]:
    """The node's conditions once nobody knows better; the same list where that is so already."""
    conditions: list[Obj] = list((node.get("status") or {}).get("conditions") or ())
    for type_ in JUDGED:
        old = find(conditions, type_)
        if old is None:
            reason, message = NEVER
            born = node["metadata"].get("creationTimestamp") or stamp(now)
            conditions.append(_condition(type_, reason, message, born, now))
        elif old["status"] != "Unknown":
            reason, message = STOPPED
            new = _condition(type_, reason, message, old.get("lastHeartbeatTime"), now)
            conditions[conditions.index(old)] = new
    return conditions


def _condition(type_: str, reason: str, message: str, heard: str | None, now: float) -> Obj:
    moved = {"lastTransitionTime": stamp(now), "reason": reason, "message": message}
    return {"type": type_, "status": "Unknown", **({"lastHeartbeatTime": heard} if heard else {}), **moved}


def fell_silent(node: Obj, now: float) -> Sequence[Action]:
    """None where the node says so already."""
    before: list[Obj] = list((node.get("status") or {}).get("conditions") or ())
    after = unknown(node, now)
    if after == before:
        return []
    meta = node["metadata"]
    patch = Patch(NODES, "", meta["name"], {"status": {"conditions": after}}, "status", uid=meta["uid"],
                  revision=meta.get("resourceVersion"))  # fmt: skip
    was = find(before, "Ready")
    if was is None or was["status"] != "True":
        return [patch]
    message = f"Node {meta['name']} status is now: NodeNotReady"
    return [patch, Emit(NODES, node, "Normal", "NodeNotReady", message)]


def unready_pods(node: Obj, view: View, now: float) -> Iterable[Action]:
    """A node that is not ready has no ready pods: nobody is to be sent there. Its agent contradicts once it is back."""
    ready = find((node.get("status") or {}).get("conditions"), "Ready")
    if ready is None or ready["status"] == "True":
        return
    for p in view.list(pod.PODS, node=node["metadata"]["name"]):
        condition = pod.ready_condition(p)
        if condition is None or condition["status"] != "True" or pod.ended(p):
            continue
        meta = p["metadata"]
        new = {**condition, "status": "False", "lastTransitionTime": stamp(now)}
        conditions = [new if c["type"] == "Ready" else c for c in p["status"]["conditions"]]
        yield Patch(pod.PODS, meta["namespace"], meta["name"], {"status": {"conditions": conditions}}, "status",
                    uid=meta["uid"], revision=meta.get("resourceVersion"))  # fmt: skip
        yield Emit(pod.PODS, p, "Warning", "NodeNotReady", "Node is not ready")


def ready_node(node: Obj) -> bool:
    condition = find((node.get("status") or {}).get("conditions"), "Ready")
    return condition is not None and condition["status"] == "True"


def disruption(view: View) -> str:
    """`full`: no node is ready, so that nothing drives pods out: there is nowhere to go. `partial`: so many are not
    that no more are added. Else empty."""
    states = [ready_node(n) for n in view.list(NODES)]
    ill = states.count(False)
    if ill and ill == len(states):
        return "full"
    return "partial" if ill > FEW and ill / len(states) >= UNHEALTHY_ZONE else ""
