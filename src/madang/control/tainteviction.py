"""Pods leave a node whose NoExecute taint they don't tolerate, or only for a while.

In: pods and their nodes. Out: the condition DisruptionTarget, an Event, the deletion; or when to look again. The time
that a toleration allows counts from the taint's `timeAdded`; where whoever wrote it gave none, from that write, which
the owner of the node's taints tells, but never from before the pod was there (kubernetes pkg/controller/tainteviction).
"""

from collections.abc import Iterable, Mapping, Sequence

from madang.control import pods as pod
from madang.control.conditions import made, without
from madang.control.controller import Ref, Waker
from madang.control.instant import seconds
from madang.kinds.taints import tolerates
from madang.ports.actions import Action, Delete, Emit, Patch, Wake
from madang.ports.chance import Chance
from madang.ports.objects import Kind, Obj
from madang.ports.view import View

NAME = "taint-eviction-controller"
NODES = "nodes"


def chasing(node: Obj | None) -> list[Obj]:
    """The node's NoExecute taints."""
    spec = (node or {}).get("spec") or {}
    return [t for t in spec.get("taints") or () if t["effect"] == "NoExecute"]


def wake_of_pod(obj: Obj, view: View) -> Iterable[Ref]:
    node = obj["spec"].get("nodeName")
    if node and not pod.deleting(obj) and chasing(view.get(NODES, "", node)):
        yield Ref(obj["metadata"]["namespace"], obj["metadata"]["name"])


def wake_of_node(obj: Obj, view: View) -> Iterable[Ref]:
    for p in view.list(pod.PODS, node=obj["metadata"]["name"]) if chasing(obj) else ():
        yield Ref(p["metadata"]["namespace"], p["metadata"]["name"])


WATCHES: Mapping[Kind, Waker] = {pod.PODS: wake_of_pod, NODES: wake_of_node}


def decide(ref: Ref, view: View, now: float, chance: Chance) -> Sequence[Action]:
    p = view.get(pod.PODS, ref.namespace, ref.name)
    if p is None or not pod.active(p):
        return []
    node = view.get(NODES, "", p["spec"].get("nodeName", ""))
    written = written_s(node) if node is not None else 0.0
    left = min((stay_s(p, t, now, written) for t in chasing(node)), default=float("inf"))
    if left > 0:
        return [] if left == float("inf") else [Wake(left)]
    meta = p["metadata"]
    why = made(
        "DisruptionTarget", "True", "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint", now
    )
    conditions = [*without((p.get("status") or {}).get("conditions"), "DisruptionTarget"), why]
    told = Emit(pod.PODS, p, "Normal", "TaintManagerEviction", f"Marking for deletion Pod {ref.namespace}/{ref.name}")
    return [
        Patch(pod.PODS, ref.namespace, ref.name, {"status": {"conditions": conditions}}, "status", uid=meta["uid"],
              revision=meta.get("resourceVersion")),
        Delete(pod.PODS, ref.namespace, ref.name, uid=meta["uid"], then=(told,)),
    ]  # fmt: skip


def written_s(node: Obj) -> float:
    """When somebody last wrote the node's taints."""
    entries = node["metadata"].get("managedFields") or ()
    owning = [e for e in entries if "f:taints" in ((e.get("fieldsV1") or {}).get("f:spec") or {})]
    return max((seconds(e.get("time")) for e in owning), default=0.0)


def stay_s(p: Obj, taint: Obj, now: float, written: float = 0.0) -> float:
    """How long the pod may stay in spite of this taint: 0 not at all, infinite for ever."""
    tolerations = [t for t in p["spec"].get("tolerations") or () if tolerates(t, taint)]
    if not tolerations:
        return 0.0
    limits = [int(t["tolerationSeconds"]) for t in tolerations if t.get("tolerationSeconds") is not None]
    if not limits:
        return float("inf")
    began = seconds(taint.get("timeAdded")) or max(written, seconds(p["metadata"].get("creationTimestamp")))
    return max(0.0, began + min(limits) - now)
