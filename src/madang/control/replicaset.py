"""ReplicaSet: so many pods of one template, no more and no less.

In: the ReplicaSet (or a ReplicationController in the form of one), its pods. Out: pods created or deleted, orphans
adopted, strangers released, one status (kubernetes pkg/controller/replicaset).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cmp_to_key

from madang.control import pods as pod
from madang.control.conditions import find, made, with_condition, without
from madang.control.controller import Ref, Waker, wake_self
from madang.control.difference import status_patch
from madang.control.instant import seconds
from madang.control.naming import free_name
from madang.control.owners import candidates, claim, controller_of, controller_ref, owner_ref, selecting
from madang.control.selection import labels_of
from madang.ports.actions import Action, Create, Delete, Emit, Patch, Wake
from madang.ports.chance import Chance
from madang.ports.objects import Kind, Obj
from madang.ports.view import View

NAME = "replicaset-controller"
KIND = "replicasets.apps"
BURST = 500  # pods made or deleted by one decision
COST = "controller.kubernetes.io/pod-deletion-cost"


def wake_of_pod(obj: Obj, view: View) -> Iterable[Ref]:
    if controller_of(obj) is not None:
        return owner_ref(obj, "ReplicaSet")
    return selecting(obj, KIND, view) if labels_of(obj) else ()


WATCHES: Mapping[Kind, Waker] = {KIND: wake_self, pod.PODS: wake_of_pod}


def decide(ref: Ref, view: View, now: float, chance: Chance) -> Sequence[Action]:
    found = view.get(KIND, ref.namespace, ref.name)
    if found is None:
        return []
    return kept(KIND, found, controller_ref(found, "apps/v1", "ReplicaSet"), view, now, chance)


def kept(
    kind: Kind, rs: Obj, reference: Obj, view: View, now: float, chance: Chance, *, tells_going: bool = True
) -> list[Action]:
    """`tells_going`: its status counts the pods that are being deleted."""
    selector, namespace = rs["spec"].get("selector"), rs["metadata"]["namespace"]
    claimed = claim(
        rs, reference, selector, pod.PODS, candidates(pod.PODS, namespace, selector, rs["metadata"]["uid"], view)
    )
    mine = [p for p in claimed.mine if pod.active(p)]
    going = sum(1 for p in claimed.mine if pod.terminating(p))
    wanted = int(rs["spec"].get("replicas", 1))
    actions: list[Action] = list(claimed.patches)
    if not pod.deleting(rs):
        if len(mine) < wanted:
            actions += creations(kind, rs, reference, min(wanted - len(mine), BURST), view, now, chance)
        elif len(mine) > wanted:
            related = siblings(kind, rs, view)
            actions += [deletion(kind, rs, p) for p in surplus(mine, related, min(len(mine) - wanted, BURST), now)]
    actions += status_patch(kind, rs, status(rs, mine, going if tells_going else None, wanted, now))
    return actions + wake(rs, mine, now)


def creations(kind: Kind, rs: Obj, reference: Obj, count: int, view: View, now: float, chance: Chance) -> list[Action]:
    taken: set[str] = set()
    made_pods = (new_pod(rs, reference, taken, view, chance) for _ in range(count))
    return [
        Create(
            pod.PODS,
            one,
            then=(Emit(kind, rs, "Normal", "SuccessfulCreate", f"Created pod: {one['metadata']['name']}"),),
            otherwise=(
                Emit(kind, rs, "Warning", "FailedCreate", "Error creating: {error}"),
                failure(kind, rs, "FailedCreate", now),
            ),
        )
        for one in made_pods
    ]


def failure(kind: Kind, rs: Obj, reason: str, now: float) -> Patch:
    """The status with ReplicaFailure; the hand fills in why."""
    conditions = with_condition(
        (rs.get("status") or {}).get("conditions"), made("ReplicaFailure", "True", reason, "{error}", now)
    )
    meta = rs["metadata"]
    return Patch(
        kind, meta["namespace"], meta["name"], {"status": {"conditions": conditions}}, "status", uid=meta["uid"]
    )


def new_pod(rs: Obj, reference: Obj, taken: set[str], view: View, chance: Chance) -> Obj:
    template, prefix = rs["spec"]["template"], rs["metadata"]["name"] + "-"
    given = template.get("metadata") or {}
    metadata: Obj = {key: given[key] for key in ("labels", "annotations", "finalizers") if given.get(key)}
    metadata |= {
        "generateName": prefix,
        "name": free_name(pod.PODS, rs["metadata"]["namespace"], prefix, view, chance, taken),
        "namespace": rs["metadata"]["namespace"],
        "ownerReferences": [reference],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def deletion(kind: Kind, rs: Obj, one: Obj) -> Delete:
    name = one["metadata"]["name"]
    return Delete(
        pod.PODS,
        one["metadata"]["namespace"],
        name,
        uid=one["metadata"]["uid"],
        then=(Emit(kind, rs, "Normal", "SuccessfulDelete", f"Deleted pod: {name}"),),
    )


def siblings(kind: Kind, rs: Obj, view: View) -> list[Obj]:
    """Active pods of all ReplicaSets with the same controller: they tell which nodes hold many."""
    controller = controller_of(rs)
    owners = [rs]
    if controller is not None:
        owners = [
            o for o in view.list(kind, rs["metadata"]["namespace"], owner=controller["uid"]) if controller_of(o)
        ] or [rs]
    return [
        p
        for owner in owners
        for p in view.list(pod.PODS, rs["metadata"]["namespace"], owner=owner["metadata"]["uid"])
        if pod.active(p)
    ]


def surplus(mine: list[Obj], related: Sequence[Obj], count: int, now: float) -> list[Obj]:
    """Which go first: controller.ActivePodsWithRanks."""
    if count >= len(mine):
        return mine
    crowd: dict[str, int] = {}
    for p in related:
        node = p["spec"].get("nodeName", "")
        crowd[node] = crowd.get(node, 0) + 1

    def younger(one: float, other: float) -> int:
        """Negative when `one` goes first: the younger by order of magnitude of age (Kubernetes' log scale)."""
        if one == 0 or other == 0:
            return (other == 0) - (one == 0)
        return magnitude(now - one) - magnitude(now - other)

    def compare(a: Obj, b: Obj) -> int:
        for rule in FIRST_OUT:
            if (difference := rule(a) - rule(b)) != 0:
                return -1 if difference < 0 else 1
        if doubled := crowd.get(b["spec"].get("nodeName", ""), 0) - crowd.get(a["spec"].get("nodeName", ""), 0):
            return doubled
        tie = -1 if a["metadata"]["uid"] < b["metadata"]["uid"] else 1
        since = pod.ready_since_s(a), pod.ready_since_s(b)
        if pod.ready(a) and since[0] != since[1]:
            return younger(*since) or tie
        if again := pod.restarts(b) - pod.restarts(a):
            return again
        born = seconds(a["metadata"].get("creationTimestamp")), seconds(b["metadata"].get("creationTimestamp"))
        return (younger(*born) or tie) if born[0] != born[1] else tie

    return sorted(mine, key=cmp_to_key(compare))[:count]


def magnitude(age_s: float) -> int:
    return int(math.log2(age_s)) if age_s >= 1 else -1


def cost(one: Obj) -> int:
    try:
        return int((one["metadata"].get("annotations") or {}).get(COST, 0))
    except ValueError:
        return 0


# The lower goes first; the later rules decide only among equals.
FIRST_OUT = (
    lambda p: int(bool(p["spec"].get("nodeName"))),  # nothing runs there yet
    lambda p: {"Pending": 0, "Unknown": 1}.get(pod.phase(p), 2),
    lambda p: int(pod.ready(p)),
    cost,  # what the user says that it costs
)


def status(rs: Obj, mine: Sequence[Obj], going: int | None, wanted: int, now: float) -> Obj:
    old = rs.get("status") or {}
    min_ready_s = int(rs["spec"].get("minReadySeconds", 0))
    template_labels = ((rs["spec"]["template"].get("metadata") or {}).get("labels") or {}).items()
    counts = {
        "fullyLabeledReplicas": sum(1 for p in mine if template_labels <= labels_of(p).items()),
        "readyReplicas": sum(1 for p in mine if pod.ready(p)),
        "availableReplicas": sum(1 for p in mine if pod.available(p, min_ready_s, now)),
    }
    new: Obj = {"replicas": len(mine), **{name: n for name, n in counts.items() if n}}
    if going is not None:
        new["terminatingReplicas"] = going
    conditions = old.get("conditions")
    if find(conditions, "ReplicaFailure") and len(mine) >= wanted:
        conditions = without(conditions, "ReplicaFailure")
    if conditions:
        new["conditions"] = conditions
    new["observedGeneration"] = rs["metadata"].get("generation", 1)
    return new


def wake(rs: Obj, mine: Iterable[Obj], now: float) -> list[Action]:
    min_ready_s = int(rs["spec"].get("minReadySeconds", 0))
    if not min_ready_s:
        return []
    waits = [left for p in mine if (left := pod.available_in_s(p, min_ready_s, now))]
    return [Wake(min(waits))] if waits else []
