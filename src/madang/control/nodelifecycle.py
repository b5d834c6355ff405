"""Nodes say by taints what their conditions say: not ready, under pressure, cordoned.

In: a Node. Out: its taints put right (kubernetes pkg/controller/nodelifecycle, doNoScheduleTaintingPass). A Node is
born with not-ready; the taint goes when its agent reports Ready.
"""

from collections.abc import Iterable, Mapping, Sequence

from madang.control.conditions import find
from madang.control.controller import Ref, Waker
from madang.control.instant import stamp
from madang.ports.actions import Action, Patch
from madang.ports.chance import Chance
from madang.ports.objects import Kind, Obj
from madang.ports.view import View

NAME = "node-lifecycle-controller"
KIND = "nodes"
PREFIX = "node.kubernetes.io/"
# (condition, its status, the taint that it means, its effects)
BOTH, PLACING = ("NoSchedule", "NoExecute"), ("NoSchedule",)
MEANINGS = (
    ("Ready", "False", "not-ready", BOTH),
    ("Ready", "Unknown", "unreachable", BOTH),
    ("MemoryPressure", "True", "memory-pressure", PLACING),
    ("DiskPressure", "True", "disk-pressure", PLACING),
    ("PIDPressure", "True", "pid-pressure", PLACING),
    ("NetworkUnavailable", "True", "network-unavailable", PLACING),
)
Taint = tuple[str, str]  # key, effect
OURS: frozenset[Taint] = frozenset(
    {(PREFIX + taint, effect) for _, _, taint, effects in MEANINGS for effect in effects}
    | {(PREFIX + "unschedulable", "NoSchedule")}
)


def wake_self(obj: Obj, view: View) -> Iterable[Ref]:
    yield Ref("", obj["metadata"]["name"])


WATCHES: Mapping[Kind, Waker] = {KIND: wake_self}


def decide(ref: Ref, view: View, now: float, chance: Chance) -> Sequence[Action]:
    node = view.get(KIND, "", ref.name)
    if node is None:
        return []
    spec, meta = node.get("spec") or {}, node["metadata"]
    present: list[Obj] = spec.get("taints") or []
    wanted = meant(node)
    taints = [stamped(t, now) for t in present if (t["key"], t["effect"]) not in OURS - wanted]
    there = {(t["key"], t["effect"]) for t in taints}
    taints += [stamped({"key": key, "effect": effect}, now) for key, effect in sorted(wanted - there)]
    if taints == present:
        return []
    patch = {"spec": {"taints": taints or None}}
    return [Patch(KIND, "", meta["name"], patch, uid=meta["uid"], revision=meta.get("resourceVersion"))]


def stamped(taint: Obj, now: float) -> Obj:
    """A taint that drives pods out says since when: tolerations count from then."""
    return {**taint, "timeAdded": stamp(now)} if taint["effect"] == "NoExecute" and "timeAdded" not in taint else taint


def meant(node: Obj) -> set[Taint]:
    conditions = (node.get("status") or {}).get("conditions")
    found = {
        (PREFIX + taint, effect)
        for type_, status, taint, effects in MEANINGS
        if (c := find(conditions, type_)) is not None and c["status"] == status
        for effect in effects
    }
    if find(conditions, "Ready") is None:
        found.add((PREFIX + "not-ready", "NoSchedule"))
    if (node.get("spec") or {}).get("unschedulable"):
        found.add((PREFIX + "unschedulable", "NoSchedule"))
    return found
