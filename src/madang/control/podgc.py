"""Pods that nobody looks after any more: bound to a node that is gone, or is said to be out of service.

In: pods and nodes. Out: such pods marked Failed, then deleted without grace (kubernetes pkg/controller/podgc). A node
that is gone is waited for first: its agent may only be about to register it again, and what runs there goes on.
"""

from collections.abc import Iterable, Mapping, Sequence

from madang.control import pods as pod
from madang.control.controller import Ref, Waker
from madang.control.nodehealth import ready_node
from madang.ports.actions import Action, Delete, Patch, Wake
from madang.ports.chance import Chance
from madang.ports.objects import Kind, Obj
from madang.ports.view import View

NODES = "nodes"
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
# Kubernetes waits 40 s, for agents that report every 10 s; ours registers again within one.
QUARANTINE_S = 5.0


def wake_of_pod(obj: Obj, view: View) -> Iterable[Ref]:
    node = obj["spec"].get("nodeName")
    found = view.get(NODES, "", node) if node else None
    if node and (found is None or (pod.deleting(obj) and out_of_service(found))):
        yield Ref(obj["metadata"]["namespace"], obj["metadata"]["name"])


def wake_of_node(obj: Obj, view: View) -> Iterable[Ref]:
    name = obj["metadata"]["name"]
    found = view.get(NODES, "", name)
    if found is None or out_of_service(found):
        for p in view.list(pod.PODS, node=name):
            yield Ref(p["metadata"]["namespace"], p["metadata"]["name"])


def out_of_service(node: Obj) -> bool:
    """Somebody has sworn by this taint that nothing runs there any more."""
    taints = (node.get("spec") or {}).get("taints") or ()
    return not ready_node(node) and any(t["key"] == OUT_OF_SERVICE for t in taints)


class PodCollector:
    """Remembers since when a node is missing; a new control process begins to wait anew, as in Kubernetes."""

    NAME = "pod-garbage-collector"
    WATCHES: Mapping[Kind, Waker] = {pod.PODS: wake_of_pod, NODES: wake_of_node}

    def __init__(self) -> None:
        self._missing: dict[str, float] = {}  # node -> since when

    def decide(self, ref: Ref, view: View, now: float, chance: Chance) -> Sequence[Action]:
        self._missing = {n: since for n, since in self._missing.items() if view.get(NODES, "", n) is None}
        p = view.get(pod.PODS, ref.namespace, ref.name)
        name = p["spec"].get("nodeName") if p is not None else None
        if p is None or not name:
            return []
        node = view.get(NODES, "", name)
        if node is not None:
            ours = pod.deleting(p) and out_of_service(node)
            return forced(p, "") if ours else []
        since = self._missing.setdefault(name, now)
        left = since + QUARANTINE_S - now
        if 0 < left <= QUARANTINE_S:  # a clock that was set back must not keep it for ever
            return [Wake(left)]
        return forced(p, f"PodGC: node {name} no longer exists")


def forced(p: Obj, lost: str) -> Sequence[Action]:
    """`lost`: what has become of its node, for a pod that goes before its time."""
    meta = p["metadata"]
    actions: list[Action] = []
    if not pod.ended(p):
        failed: Obj = {"phase": "Failed", **({"reason": "NodeLost", "message": lost} if lost else {})}
        actions.append(Patch(pod.PODS, meta["namespace"], meta["name"], {"status": failed}, "status", uid=meta["uid"]))
    return [*actions, Delete(pod.PODS, meta["namespace"], meta["name"], uid=meta["uid"], grace_s=0)]
