"""Defaults of custom resources (the Gateway API): those that their schema names, at every depth.

In: a decoded, fresh object, changed in place, and its tree.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from madang.kinds.schema import Node, node
from madang.ports.objects import Obj


def of(group: str, version: str, kind: str) -> Callable[[Obj], None]:
    return lambda obj: fill(node(group, version, kind), obj)


def fill(shape: Node, value: Any) -> None:
    if shape.type == "object":
        for name, child in shape.fields.items():
            if name not in value and child.custom and child.default is not None:
                value[name] = deepcopy(child.default)
            if name in value and (child.fields or child.items):
                fill(child, value[name])
    elif shape.items is not None:
        for item in value.values() if shape.type == "map" else value or ():
            fill(shape.items, item)
