"""Rules about nodes and their labels: node selectors and node affinity.

In: decoded rules. Out: yes or no (kubernetes component-helpers nodeaffinity).
"""

from collections.abc import Iterable, Mapping

from madang.kinds.taints import compares
from madang.ports.objects import Obj


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
