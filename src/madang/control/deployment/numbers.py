"""A Deployment's numbers: how far a rollout may go above and below (kubernetes deployment/util).

In: a Deployment, ReplicaSets. Out: counts.
"""

import math
from collections.abc import Iterable

from madang.ports.objects import Obj

NEVER = 2**31 - 1  # how Kubernetes writes "no limit"


def replicas(obj: Obj) -> int:
    return int(obj["spec"].get("replicas", 1))


def wanted(sets: Iterable[Obj]) -> int:
    return sum(replicas(rs) for rs in sets)


def counted(sets: Iterable[Obj], field: str) -> int:
    return sum(int((rs.get("status") or {}).get(field, 0)) for rs in sets)


def lasting(sets: Iterable[Obj]) -> int:
    """How many available pods there will be once all sizes are reached. One that was just made smaller still tells of
    pods that are about to go: who counts on them takes away the last (Kubernetes' own controller does)."""
    return sum(min(replicas(rs), int((rs.get("status") or {}).get("availableReplicas", 0))) for rs in sets)


def active(sets: Iterable[Obj]) -> list[Obj]:
    return [rs for rs in sets if replicas(rs) > 0]


def rolling(d: Obj) -> bool:
    return bool((d["spec"].get("strategy") or {}).get("type", "RollingUpdate") == "RollingUpdate")


def resolved(value: int | str, total: int, *, up: bool) -> int:
    """A number, or a percentage of `total`."""
    if isinstance(value, int):
        return value
    share = int(value.removesuffix("%")) * total / 100
    return math.ceil(share) if up else math.floor(share)


def fences(d: Obj) -> tuple[int, int]:
    """(max surge, max unavailable). Never both 0: nothing could move."""
    if not rolling(d):
        return 0, 0
    given = (d["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    surge = resolved(given.get("maxSurge", "25%"), replicas(d), up=True)
    unavailable = resolved(given.get("maxUnavailable", "25%"), replicas(d), up=False)
    return surge, 1 if surge == 0 and unavailable == 0 else unavailable


def max_surge(d: Obj) -> int:
    return fences(d)[0]


def max_unavailable(d: Obj) -> int:
    return min(fences(d)[1], replicas(d))


def deadline_s(d: Obj) -> int | None:
    deadline = d["spec"].get("progressDeadlineSeconds")
    return None if deadline in (None, NEVER) else int(deadline)


def history_limit(d: Obj) -> int | None:
    limit = d["spec"].get("revisionHistoryLimit")
    return None if limit in (None, NEVER) else int(limit)


def new_set_size(d: Obj, sets: Iterable[Obj], new: int) -> int:
    """How large the new ReplicaSet may be now, `new` being its size (deployment/util NewRSNewReplicas)."""
    if not rolling(d):
        return replicas(d)
    room = replicas(d) + max_surge(d) - wanted(sets)
    return new if room <= 0 else new + min(room, replicas(d) - new)
