"""Nodes: who has fallen silent is Unknown, and taints say what conditions say (not ready, pressure, cordoned).

In: a Node, whether its agent answers. Out: its conditions, taints and pods put right, one after the other (kubernetes
pkg/controller/nodelifecycle). A Node is born with not-ready; the taint goes when its agent reports Ready. What drives
pods out (NoExecute) holds back where too many nodes are gone: `nodehealth.disruption`.
"""

from collections.abc import Iterable, Mapping, Sequence

from madang.control import pods as pod
from madang.control.conditions import find
from madang.control.controller import Ref, Waker, wake_self
from madang.control.instant import stamp
from madang.control.nodehealth import disruption, fell_silent, quiet_in_s, ready_node, unready_pods
from madang.ports.actions import Action, Patch, Wake
from madang.ports.chance import Chance
from madang.ports.objects import Kind, Obj
from madang.ports.streams import Liveness
from madang.ports.view import View

KIND = "nodes"
AGAIN_S = 5.0  # how often one that is not ready is looked at: whether pods must leave depends on the others, too
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


DRIVING = frozenset(taint for taint in OURS if taint[1] == "NoExecute")


def wake_of_pod(obj: Obj, view: View) -> Iterable[Ref]:
    """One that is said to be ready on a node that is not."""
    name = obj["spec"].get("nodeName")
    node = view.get(KIND, "", name) if name and pod.ready(obj) else None
    if node is not None and not ready_node(node):
        yield Ref("", node["metadata"]["name"])


class NodeLifecycle:
    """`liveness` None: nobody here knows who answers, and nodes are what they say of themselves."""

    NAME = "node-lifecycle-controller"
    WATCHES: Mapping[Kind, Waker] = {KIND: wake_self, pod.PODS: wake_of_pod}

    def __init__(self, liveness: Liveness | None) -> None:
        self._liveness = liveness

    def decide(self, ref: Ref, view: View, now: float, chance: Chance) -> Sequence[Action]:
        node = view.get(KIND, "", ref.name)
        if node is None:
            return []
        quiet_s = self._quiet_s(node, view, now)
        if quiet_s == 0.0 and (actions := fell_silent(node, now)):
            return actions
        again = [Wake(quiet_s)] if quiet_s else []
        if not ready_node(node):
            again.append(Wake(AGAIN_S))
        return [*tainted(node, view, now), *unready_pods(node, view, now), *again]

    def _quiet_s(self, node: Obj, view: View, now: float) -> float | None:
        """0: it is silent. None: it answers. Else: so long it may still be without a word."""
        if self._liveness is None:
            return None
        silent = self._liveness.silent(node["metadata"]["name"])
        if silent is None:
            return quiet_in_s(node, view, now)
        return 0.0 if silent else None


def tainted(node: Obj, view: View, now: float) -> Sequence[Action]:
    spec, meta = node.get("spec") or {}, node["metadata"]
    present: list[Obj] = spec.get("taints") or []
    has = {(t["key"], t["effect"]) for t in present}
    wanted = meant(node)
    if wanted & DRIVING:
        match disruption(view):
            case "full":
                wanted -= DRIVING
            case "partial":
                wanted -= DRIVING - has
    taints = [stamped(t, now) for t in present if (t["key"], t["effect"]) not in OURS - wanted]
    taints += [stamped({"key": key, "effect": effect}, now) for key, effect in sorted(wanted - has)]
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
