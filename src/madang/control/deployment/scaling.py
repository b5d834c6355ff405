"""Giving ReplicaSets their sizes: one step of a rollout, or a new size shared among several in proportion.

In: the Deployment, its ReplicaSets. Out: patches of `spec.replicas` and their events (deployment/sync.go scale).
"""

import math
from collections.abc import Sequence

from madang.control.deployment import numbers
from madang.control.deployment.revisions import DESIRED, MAX, SETS, annotations, by_age, sizes
from madang.control.difference import difference
from madang.ports.actions import Action, Emit, Patch
from madang.ports.objects import Obj

KIND = "deployments.apps"


def scaled(d: Obj, rs: Obj, size: int) -> list[Action]:
    """The patch and its event; nothing when size and annotations stand already."""
    patch: Obj = {}
    if changed := {k: v for k, v in difference(annotations(rs), sizes(d)).items() if v is not None}:
        patch["metadata"] = {"annotations": changed}
    before = numbers.replicas(rs)
    if before != size:
        patch["spec"] = {"replicas": size}
    if not patch:
        return []
    name = rs["metadata"]["name"]
    actions: list[Action] = [Patch(SETS, rs["metadata"]["namespace"], name, patch, uid=rs["metadata"]["uid"])]
    if before != size:
        way = "up" if size > before else "down"
        message = f"Scaled {way} replica set {name} from {before} to {size}"
        actions.append(Emit(KIND, d, "Normal", "ScalingReplicaSet", message))
    return actions


def resized(d: Obj, sets: Sequence[Obj]) -> bool:
    """Whether the user changed the Deployment's size since its ReplicaSets got theirs."""
    return any(annotations(rs).get(DESIRED, str(numbers.replicas(d))) != str(numbers.replicas(d)) for rs in
               numbers.active(sets))  # fmt: skip


def rescale(d: Obj, new: Obj | None, old: Sequence[Obj]) -> list[Action]:
    """A new size while nothing else moves: one ReplicaSet takes it all, several share it in proportion."""
    every = [*old, *([new] if new else [])]
    active = numbers.active(every)
    if len(active) <= 1:
        latest = active[0] if active else new or (by_age(old)[-1] if old else None)
        return scaled(d, latest, numbers.replicas(d)) if latest else []
    if new is not None and saturated(d, new):
        return [action for rs in numbers.active(old) for action in scaled(d, rs, 0)]
    return proportional(d, active) if numbers.rolling(d) else []


def saturated(d: Obj, rs: Obj) -> bool:
    size = numbers.replicas(d)
    available = (rs.get("status") or {}).get("availableReplicas", 0)
    return numbers.replicas(rs) == size == available and annotations(rs).get(DESIRED) == str(size)


def proportional(d: Obj, active: Sequence[Obj]) -> list[Action]:
    allowed = numbers.replicas(d) + numbers.max_surge(d) if numbers.replicas(d) > 0 else 0
    to_add = allowed - numbers.wanted(active)
    newest_first = by_age(active)[::-1] if to_add > 0 else by_age(active)
    ordered = sorted(newest_first, key=lambda rs: -numbers.replicas(rs))
    target: dict[str, int] = {}
    added = 0
    for rs in ordered:
        share = proportion(d, rs, to_add, added)
        target[rs["metadata"]["name"]] = numbers.replicas(rs) + share
        added += share
    first = ordered[0]["metadata"]["name"]
    target[first] = max(0, target[first] + to_add - added)  # what rounding left over
    return [action for rs in ordered for action in scaled(d, rs, target[rs["metadata"]["name"]])]


def proportion(d: Obj, rs: Obj, to_add: int, added: int) -> int:
    allowed = to_add - added
    if allowed == 0:
        return 0
    share = fraction(d, rs)
    return min(share, allowed) if to_add > 0 else max(share, allowed)


def fraction(d: Obj, rs: Obj) -> int:
    size = numbers.replicas(rs)
    if numbers.replicas(d) == 0:
        return -size
    before = int(annotations(rs).get(MAX, "0")) or int((d.get("status") or {}).get("replicas", 0))
    if before == 0:
        return 0
    exact = size * (numbers.replicas(d) + numbers.max_surge(d)) / before
    return math.floor(exact + 0.5) - size
