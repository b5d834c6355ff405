"""Taints and tolerations: whether a pod may stay on, or go to, a node (corev1 ToleratesTaint).

In: a node's taints, a pod's tolerations. Out: yes or no, or the taints that are not tolerated.
"""

from collections.abc import Iterable, Sequence

from madang.ports.objects import Obj

HARD = ("NoSchedule", "NoExecute")


def tolerates(toleration: Obj, taint: Obj) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    match toleration.get("operator") or "Equal":
        case "Exists":
            return True
        case "Equal":
            return bool(toleration.get("key")) and (toleration.get("value") or "") == (taint.get("value") or "")
        case "Gt" | "Lt" as operator:
            return compares(operator, str(taint.get("value", "")), str(toleration.get("value", "")))
        case _:
            return False


def untolerated(taints: Iterable[Obj], tolerations: Sequence[Obj], effects: Sequence[str] = HARD) -> list[Obj]:
    return [t for t in taints if t["effect"] in effects and not any(tolerates(one, t) for one in tolerations)]


def compares(operator: str, found: str, bound: str) -> bool:
    """`Gt` and `Lt` on whole numbers; what isn't one never holds."""
    try:
        return int(found) > int(bound) if operator == "Gt" else int(found) < int(bound)
    except ValueError:
        return False
