"""What is done about a pod that fits nowhere: its status says why, and lesser pods are asked to make room.

In: a refusal of placement. Out: actions. Each victim is asked once: while it goes, the pod waits.
"""

from madang.kinds.times import format_seconds
from madang.placement.decision import Refused
from madang.ports.actions import Action, Delete, Emit, Patch
from madang.ports.objects import Obj
from madang.ports.view import View


def told(refused: Refused, now: float) -> list[Action]:
    """PodScheduled=False with the reasons, and the node on which room is made; nothing where it says so already."""
    pod, message = refused.pod, refused.message
    status = pod.get("status") or {}
    conditions = status.get("conditions") or []
    old: Obj = next((c for c in conditions if c["type"] == "PodScheduled"), {})
    patch: Obj = {}
    if refused.preemption is not None and status.get("nominatedNodeName") != refused.preemption.node:
        patch["nominatedNodeName"] = refused.preemption.node
    if old.get("message") != message or old.get("reason") != "Unschedulable":
        new = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message,
               "lastProbeTime": None, "lastTransitionTime": format_seconds(now)}  # fmt: skip
        if old.get("status") == "False":
            new["lastTransitionTime"] = old.get("lastTransitionTime", new["lastTransitionTime"])
        patch["conditions"] = [*(c for c in conditions if c["type"] != "PodScheduled"), new]
    if not patch:
        return []
    meta = pod["metadata"]
    where = meta["namespace"], meta["name"]
    return [Patch("pods", *where, {"status": patch}, "status", meta["uid"], meta.get("resourceVersion"))]


def evictions(refused: Refused, view: View) -> list[Action]:
    found = refused.preemption
    actions: list[Action] = []
    for seat in found.victims if found is not None else ():
        victim = view.get("pods", seat.wants.namespace, seat.wants.name)
        if victim is not None and victim["metadata"]["uid"] == seat.wants.uid and not seat.leaving:
            actions.append(eviction(victim, refused.pod, seat.node))
    return actions


def eviction(victim: Obj, pod: Obj, node: str) -> Delete:
    meta = victim["metadata"]
    text = f"Preempted by pod {pod['metadata']['uid']} on node {node}"
    then = (Emit("pods", victim, "Normal", "Preempted", text),)
    return Delete("pods", meta["namespace"], meta["name"], uid=meta["uid"], then=then)
