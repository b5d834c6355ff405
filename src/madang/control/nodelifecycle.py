"""Nodes say by taints what their conditions say: not ready, under pressure, cordoned.

In: a Node. Out: its taints put right (kubernetes pkg/controller/nodelifecycle, doNoScheduleTaintingPass). A Node is
born with not-ready; the taint goes when its agent reports Ready.
"""

from collections.abc import Iterable, Mapping, Sequence

from madang.control.conditions import find
from madang.control.controller import Ref, Waker
from madang.ports.actions import Action, Patch
from madang.ports.chance import Chance
from madang.ports.objects import Kind, Obj
from madang.ports.view import View

NAME = "node-lifecycle-controller"
KIND = "nodes"
PREFIX = "node.kubernetes.io/"
# (condition, its status, the taint that it means)
MEANINGS = (
    ("Ready", "False", "not-ready"),
    ("Ready", "Unknown", "unreachable"),
    ("MemoryPressure", "True", "memory-pressure"),
    ("DiskPressure", "True", "disk-pressure"),
    ("PIDPressure", "True", "pid-pressure"),
    ("NetworkUnavailable", "True", "network-unavailable"),
)
OURS = {PREFIX + taint for _, _, taint in MEANINGS} | {PREFIX + "unschedulable"}


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
    ours = {t["key"] for t in present if t["key"] in OURS and t["effect"] == "NoSchedule"}
    if ours == wanted:
        return []
    others = [t for t in present if not (t["key"] in OURS and t["effect"] == "NoSchedule")]
    taints = [*others, *({"key": key, "effect": "NoSchedule"} for key in sorted(wanted))]
    patch = {"spec": {"taints": taints or None}}
    return [Patch(KIND, "", meta["name"], patch, uid=meta["uid"], revision=meta.get("resourceVersion"))]


def meant(node: Obj) -> set[str]:
    conditions = (node.get("status") or {}).get("conditions")
    found = {PREFIX + taint for type_, status, taint in MEANINGS
             if (c := find(conditions, type_)) is not None and c["status"] == status}  # fmt: skip
    if find(conditions, "Ready") is None:
        found.add(PREFIX + "not-ready")
    if (node.get("spec") or {}).get("unschedulable"):
        found.add(PREFIX + "unschedulable")
    return found
