"""Labels and label selectors, wherever they stand.

In: maps and LabelSelector objects with their path. Out: causes (apimachinery meta/v1/validation).
"""

from typing import Any

from madang.kinds.causes import Cause
from madang.kinds.checks.faults import each, forbidden, invalid, required
from madang.kinds.names import label_value, qualified_name


def check_labels(labels: dict[str, str] | None, path: str) -> list[Cause]:
    out: list[Cause] = []
    for key, value in sorted((labels or {}).items()):
        if faults := qualified_name(key):
            out += each(path, key, faults)
        if faults := label_value(value):
            out += each(path, value, faults)
    return out


def check_label_name(name: str, path: str) -> list[Cause]:
    return each(path, name, qualified_name(name))


def check_label_selector(selector: dict[str, Any] | None, path: str) -> list[Cause]:
    if not selector:
        return []
    out = check_labels(selector.get("matchLabels"), f"{path}.matchLabels")
    for i, expression in enumerate(selector.get("matchExpressions") or ()):
        out += _expression(expression, f"{path}.matchExpressions[{i}]")
    return out


def _expression(expression: dict[str, Any], path: str) -> list[Cause]:
    out: list[Cause] = []
    operator, values = expression.get("operator", ""), expression.get("values") or []
    if operator in ("In", "NotIn"):
        if not values:
            out.append(required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            words = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            out.append(forbidden(f"{path}.values", words))
    else:
        out.append(invalid(f"{path}.operator", operator, "not a valid selector operator"))
    out += check_label_name(expression.get("key", ""), f"{path}.key")
    for i, value in enumerate(values):
        out += each(f"{path}.values[{i}]", value, label_value(value))
    return out
