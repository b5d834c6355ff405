"""Rules about nodes and their labels: node selectors, taints and tolerations.

In: decoded rules. Out: yes or no (kubernetes component-helpers nodeaffinity, corev1 tolerations).
"""

from collections.abc import Iterable, Mapping, Sequence

from madang.ports.objects import Obj

HARD = ("NoSchedule", "NoExecute")


def requirement_holds(requirement: Obj, labels: Mapping[str, str]) -> bool:
    found, values = labels.get(requirement["key"]), list(requirement.get("values") or ())
    match requirement["operator"]:
        case "In":
            return found is not None and found in values
        case "NotIn":
            return found is None or found not in values
        case "Exists":
            return found is not None
        case "DoesNotExist":
            return found is None
        case "Gt" | "Lt" as operator:
            return found is not None and compares(operator, found, values[0])
        case unknown:
            raise ValueError(f"unknown node selector operator {unknown!r}")


def compares(operator: str, found: str, bound: str) -> bool:
    try:
        return int(found) > int(bound) if operator == "Gt" else int(found) < int(bound)
    except ValueError:
        return False


def term_holds(term: Obj, name: str, labels: Mapping[str, str]) -> bool:
    """An empty term matches nothing."""
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    return all(requirement_holds(r, labels) for r in expressions) and all(
        requirement_holds(r, {"metadata.name": name}) for r in fields
    )


def any_term_holds(terms: Iterable[Obj], name: str, labels: Mapping[str, str]) -> bool:
    return any(term_holds(term, name, labels) for term in terms)


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
