"""Which labels a workload's selector takes.

In: a LabelSelector object and labels. Out: yes or no. A missing selector takes nothing, an empty one everything.
"""

from collections.abc import Mapping
from typing import Any

from madang.kinds.selectors import from_object
from madang.ports.objects import Obj

Labels = Mapping[str, str]


def labels_of(obj: Obj) -> Labels:
    labels: Labels = obj["metadata"].get("labels") or {}
    return labels


def matches(selector: Mapping[str, Any] | None, labels: Labels) -> bool:
    return from_object(dict(selector) if selector is not None else None).matches(labels)
