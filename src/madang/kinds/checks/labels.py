"""Labels and label selectors, wherever they stand.

In: maps and LabelSelector objects with their path. Out: causes (apimachinery meta/v1/validation).
"""

from collections.abc import Sequence
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
        out += check_expression(expression, f"{path}.matchExpressions[{i}]")
    return out


def check_expression(expression: dict[str, Any], path: str, *, numbers: bool = False) -> list[Cause]:
    """One requirement of a selector; `numbers`: a node's label may also be compared (Gt, Lt)."""
    operator, values = expression.get("operator", ""), expression.get("values") or []
    out = _operands(operator, values, path, numbers)
    out += check_label_name(expression.get("key", ""), f"{path}.key")
    for i, value in enumerate(values):
        out += each(f"{path}.values[{i}]", value, label_value(value))
    return out


def _operands(operator: str, values: Sequence[str], path: str, numbers: bool) -> list[Cause]:
    if operator in ("In", "NotIn"):
        words = "must be specified when `operator` is 'In' or 'NotIn'"
        return [] if values else [required(f"{path}.values", words)]
    if operator in ("Exists", "DoesNotExist"):
        words = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        return [forbidden(f"{path}.values", words)] if values else []
    if numbers and operator in ("Gt", "Lt"):
        words = "must be specified single value when `operator` is 'Lt' or 'Gt'"
        return [] if len(values) == 1 else [required(f"{path}.values", words)]
    return [invalid(f"{path}.operator", operator, "not a valid selector operator")]
