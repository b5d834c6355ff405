"""Pods that nobody looks after any more: bound to a node that is gone.

In: pods and nodes. Out: such pods marked Failed, then deleted without grace (kubernetes pkg/controller/podgc).
"""

from collections.abc import Iterable, Mapping, Sequence

from madang.control import pods as pod
from madang.control.controller import Ref, Waker
from madang.ports.actions import Action, Delete, Patch
from madang.ports.chance import Chance
from madang.ports.objects import Kind, Obj
from madang.ports.view import View

NAME = "pod-garbage-collector"
NODES = "nodes"


def wake_of_pod(obj: Obj, view: View) -> Iterable[Ref]:
    node = obj["spec"].get("nodeName")
    if node and view.get(NODES, "", node) is None:
        yield Ref(obj["metadata"]["namespace"], obj["metadata"]["name"])


def wake_of_node(obj: Obj, view: View) -> Iterable[Ref]:
    name = obj["metadata"]["name"]
    if view.get(NODES, "", name) is None:
        for p in view.list(pod.PODS, node=name):
            yield Ref(p["metadata"]["namespace"], p["metadata"]["name"])


WATCHES: Mapping[Kind, Waker] = {pod.PODS: wake_of_pod, NODES: wake_of_node}


def decide(ref: Ref, view: View, now: float, chance: Chance) -> Sequence[Action]:
    p = view.get(pod.PODS, ref.namespace, ref.name)
    node = p["spec"].get("nodeName") if p is not None else None
    if p is None or not node or view.get(NODES, "", node) is not None:
        return []
    meta = p["metadata"]
    actions: list[Action] = []
    if not pod.ended(p):
        failed = {
            "status": {"phase": "Failed", "reason": "NodeLost", "message": f"PodGC: node {node} no longer exists"}
        }
        actions.append(Patch(pod.PODS, meta["namespace"], meta["name"], failed, "status", uid=meta["uid"]))
    return [*actions, Delete(pod.PODS, meta["namespace"], meta["name"], uid=meta["uid"], grace_s=0)]
