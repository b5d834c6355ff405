"""What a Deployment tells: counts, Available, Progressing and its deadline (kubernetes deployment/progress.go).

In: the Deployment, its ReplicaSets as seen, the hour. Out: the new status, and how long until the deadline.
"""

from collections.abc import Sequence

from madang.control.conditions import find, made, with_condition, without
from madang.control.deployment import numbers
from madang.control.instant import seconds, stamp
from madang.ports.objects import Obj

AVAILABLE = "MinimumReplicasAvailable", "Deployment has minimum availability."
UNAVAILABLE = "MinimumReplicasUnavailable", "Deployment does not have minimum availability."


def progressing(d: Obj) -> Obj | None:
    return find((d.get("status") or {}).get("conditions"), "Progressing")


def marked(d: Obj, status: str, reason: str, message: str, now: float) -> Obj:
    """The present status with another Progressing condition."""
    old = d.get("status") or {}
    condition = made("Progressing", status, reason, message, now, updated=True)
    return {**old, "conditions": with_condition(old.get("conditions"), condition)}


def counts(d: Obj, new: Obj | None, every: Sequence[Obj], now: float) -> Obj:
    """The status by numbers alone; Progressing stays as it is (deployment/sync.go calculateStatus)."""
    old = d.get("status") or {}
    available = numbers.counted(every, "availableReplicas")
    figures = {
        "replicas": numbers.counted(every, "replicas"),
        "updatedReplicas": numbers.counted([new], "replicas") if new else 0,
        "readyReplicas": numbers.counted(every, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, numbers.wanted(every) - available),
    }
    status: Obj = {name: n for name, n in figures.items() if n}
    if (going := terminating(every)) is not None:
        status["terminatingReplicas"] = going
    if "collisionCount" in old:
        status["collisionCount"] = old["collisionCount"]
    enough = available >= numbers.replicas(d) - numbers.max_unavailable(d)
    reason, message = AVAILABLE if enough else UNAVAILABLE
    condition = made("Available", str(enough), reason, message, now, updated=True)
    status["conditions"] = with_condition(old.get("conditions"), condition)
    status["observedGeneration"] = d["metadata"].get("generation", 1)
    return status


def terminating(every: Sequence[Obj]) -> int | None:
    """Unknown (None) while a ReplicaSet that has pods has not told."""
    total = 0
    for rs in every:
        status = rs.get("status") or {}
        if "terminatingReplicas" not in status and (status.get("observedGeneration") or status.get("replicas")):
            return None
        total += int(status.get("terminatingReplicas", 0))
    return total


def rollout(d: Obj, new: Obj | None, every: Sequence[Obj], now: float) -> Obj:
    """The status of a rollout under way or done."""
    status = counts(d, new, every, now)
    conditions = status["conditions"]
    current = progressing(d)
    deadline = numbers.deadline_s(d)
    if deadline is None:
        conditions = without(conditions, "Progressing")
    elif not (current and current.get("reason") == "NewReplicaSetAvailable"
              and status.get("replicas", 0) == status.get("updatedReplicas", 0)):  # fmt: skip
        conditions = progressed(d, new, status, current, now)
    failure = next((c for rs in [*([new] if new else []), *every]
                    if (c := find((rs.get("status") or {}).get("conditions"), "ReplicaFailure"))), None)  # fmt: skip
    if failure is None:
        conditions = without(conditions, "ReplicaFailure")
    else:
        copied = made(
            "ReplicaFailure", failure["status"], failure["reason"], failure.get("message", ""), now, updated=True
        )
        conditions = with_condition(conditions, copied)
    return {**status, "conditions": conditions}


def progressed(d: Obj, new: Obj | None, status: Obj, current: Obj | None, now: float) -> list[Obj]:
    conditions: list[Obj] = status["conditions"]
    what = f'ReplicaSet "{new["metadata"]["name"]}"' if new else f'Deployment "{d["metadata"]["name"]}"'
    if complete(d, status):
        told = made(
            "Progressing", "True", "NewReplicaSetAvailable", f"{what} has successfully progressed.", now, updated=True
        )
        return with_condition(conditions, told)
    if moved(d.get("status") or {}, status):
        told = made("Progressing", "True", "ReplicaSetUpdated", f"{what} is progressing.", now, updated=True)
        if current is None:
            return with_condition(conditions, told)
        if current["status"] == "True":
            told["lastTransitionTime"] = current.get("lastTransitionTime", stamp(now))
        return [*without(conditions, "Progressing"), told]  # each move puts the deadline off: a new lastUpdateTime
    if timed_out(d, current, now):
        told = made(
            "Progressing", "False", "ProgressDeadlineExceeded", f"{what} has timed out progressing.", now, updated=True
        )
        return with_condition(conditions, told)
    return conditions


def complete(d: Obj, status: Obj) -> bool:
    figures = {status.get(field, 0) for field in ("replicas", "updatedReplicas", "availableReplicas")}
    observed = int(status.get("observedGeneration", 0))
    return figures == {numbers.replicas(d)} and observed >= int(d["metadata"].get("generation", 1))


def moved(old: Obj, new: Obj) -> bool:
    def outdated(status: Obj) -> int:
        return int(status.get("replicas", 0)) - int(status.get("updatedReplicas", 0))

    return outdated(new) < outdated(old) or any(
        new.get(field, 0) > old.get(field, 0) for field in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )


def timed_out(d: Obj, current: Obj | None, now: float) -> bool:
    deadline = numbers.deadline_s(d)
    if deadline is None or current is None or current.get("reason") == "NewReplicaSetAvailable":
        return False
    return (
        current.get("reason") == "ProgressDeadlineExceeded" or seconds(current.get("lastUpdateTime")) + deadline < now
    )


def deadline_in_s(d: Obj, status: Obj, now: float) -> float | None:
    """How long until a rollout under way counts as stuck; None when there is nothing to wait for."""
    current, deadline = find(status.get("conditions"), "Progressing"), numbers.deadline_s(d)
    if deadline is None or current is None or complete(d, status):
        return None
    if current.get("reason") in ("ProgressDeadlineExceeded", "DeploymentPaused"):
        return None
    return max(0.0, seconds(current.get("lastUpdateTime")) + deadline - now) + 1.0
