"""What controllers ask of a pod: active, ready, available, ended.

In: a pod and the hour. Out: yes or no (kubernetes pkg/api/v1/pod and controller.IsPodActive).
"""

from madang.control.conditions import find
from madang.control.instant import seconds
from madang.kinds.phase import ended as ended  # said here too: one asks `pods.ended(pod)`
from madang.kinds.phase import phase as phase
from madang.ports.objects import Obj

PODS = "pods"


def deleting(obj: Obj) -> bool:
    return "deletionTimestamp" in obj["metadata"]


def active(pod: Obj) -> bool:
    return not ended(pod) and not deleting(pod)


def terminating(pod: Obj) -> bool:
    return not ended(pod) and deleting(pod)


def ready_condition(pod: Obj) -> Obj | None:
    return find((pod.get("status") or {}).get("conditions"), "Ready")


def ready(pod: Obj) -> bool:
    condition = ready_condition(pod)
    return condition is not None and condition["status"] == "True"


def ready_since_s(pod: Obj) -> float:
    condition = ready_condition(pod)
    return seconds(condition.get("lastTransitionTime")) if condition and condition["status"] == "True" else 0.0


def available_in_s(pod: Obj, min_ready_s: int, now: float) -> float | None:
    """0: available now; a positive number: after so long, if it stays ready; None: not ready."""
    if not ready(pod):
        return None
    return max(0.0, ready_since_s(pod) + min_ready_s - now) if min_ready_s else 0.0


def available(pod: Obj, min_ready_s: int, now: float) -> bool:
    return available_in_s(pod, min_ready_s, now) == 0.0


def restarts(pod: Obj) -> int:
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return max((int(s.get("restartCount", 0)) for s in statuses), default=0)
