"""Which labels a selector takes: metav1.LabelSelector as workloads carry it.

In: a selector object (valid, as the API stores it) and labels. Out: yes or no. A missing selector takes nothing,
an empty one everything (apimachinery LabelSelectorAsSelector).
"""

from collections.abc import Mapping
from typing import Any

from madang.ports.objects import Obj

Labels = Mapping[str, str]


def labels_of(obj: Obj) -> Labels:
    labels: Labels = obj["metadata"].get("labels") or {}
    return labels


def matches(selector: Mapping[str, Any] | None, labels: Labels) -> bool:
    if selector is None:
        return False
    equal = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in equal.items()):
        return False
    return all(requires(one, labels) for one in selector.get("matchExpressions") or ())


def requires(requirement: Mapping[str, Any], labels: Labels) -> bool:
    key, values = requirement["key"], requirement.get("values") or ()
    match requirement["operator"]:
        case "In":
            return labels.get(key) in values if key in labels else False
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case unknown:
            raise ValueError(f"unknown selector operator {unknown!r}")
