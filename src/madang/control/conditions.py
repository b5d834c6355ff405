"""Conditions of a status, kept as Kubernetes' workload controllers keep them.

In: a list of conditions and a new one. Out: a new list. A condition whose status and reason stay is left alone;
one that changes goes to the end (so the order tells what happened last).
"""

from collections.abc import Sequence

from madang.control.instant import stamp
from madang.ports.objects import Obj


def find(conditions: Sequence[Obj] | None, type_: str) -> Obj | None:
    for condition in conditions or ():
        if condition["type"] == type_:
            return condition
    return None


def holds(conditions: Sequence[Obj] | None, type_: str) -> bool:
    found = find(conditions, type_)
    return found is not None and found["status"] == "True"


def without(conditions: Sequence[Obj] | None, type_: str) -> list[Obj]:
    return [c for c in conditions or () if c["type"] != type_]


def made(type_: str, status: str, reason: str, message: str, now: float, *, updated: bool = False) -> Obj:
    """`updated`: with a lastUpdateTime, as Deployments have."""
    condition = {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": stamp(now),
    }
    if updated:
        condition["lastUpdateTime"] = stamp(now)
    return condition


def with_condition(conditions: Sequence[Obj] | None, new: Obj) -> list[Obj]:
    current = find(conditions, new["type"])
    if current is None:
        return [*(conditions or ()), new]
    if current["status"] == new["status"] and current.get("reason") == new.get("reason"):
        return list(conditions or ())
    if current["status"] == new["status"]:
        new = {**new, "lastTransitionTime": current.get("lastTransitionTime", new["lastTransitionTime"])}
    return [*without(conditions, new["type"]), new]
