"""Kinds that a cluster has as custom resources (the Gateway API): their schema's own rules.

In: an object and its schema tree, whose nodes carry `rules` (pattern, maxLength, minItems, ...). Out: causes, in the
words of the API's validation of custom resources.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from madang.kinds.causes import Cause
from madang.kinds.checks.faults import duplicate, invalid, required, too_long, too_many, unsupported
from madang.kinds.checks.gateway_rules import check_expressions
from madang.kinds.checks.meta import check_meta, check_meta_update
from madang.kinds.schema import Node, node
from madang.ports.objects import Obj

GROUP = "gateway.networking.k8s.io"
UNCHECKED = Cause(
    "<nil>",
    "FieldValueInvalid",
    "Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation",
)
_BLOCKING = frozenset({
    "FieldValueRequired", "FieldValueNotSupported", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid",
})  # fmt: skip


def custom(kind: str, *, namespaced: bool = True) -> Callable[[Obj, Obj | None], list[Cause]]:
    def check(new: Obj, old: Obj | None) -> list[Cause]:
        meta = check_meta(new, namespaced=namespaced) if old is None else check_meta_update(new, old)
        out: list[Cause] = []
        tree = node(GROUP, "v1", kind)
        for name in ("spec", "status"):
            if new.get(name) is not None:
                out += check_rules(new[name], tree.fields[name], name)
            elif name in tree.required:
                out.append(required(name))
        return meta + ([*out, UNCHECKED] if _blocking(out) else out + check_expressions(kind, new, old))

    return check


def custom_status(kind: str) -> Callable[[Obj, Obj], list[Cause]]:
    def check(new: Obj, old: Obj) -> list[Cause]:
        found = check_rules(new.get("status") or {}, node(GROUP, "v1", kind).fields["status"], "status")
        return check_meta_update(new, old) + ([*found, UNCHECKED] if _blocking(found) else found)

    return check


def _blocking(causes: list[Cause]) -> bool:
    """Faults after which the API does not look at expressions any more."""
    return any(c.reason in _BLOCKING for c in causes)


def check_rules(value: Any, place: Node, path: str) -> list[Cause]:
    out = _own(value, place, path) if place.rules or place.enum else []
    if isinstance(value, dict):
        out += [required(f"{path}.{name}") for name in place.required if value.get(name) is None]
        for name, inner in value.items():
            child = place.fields.get(name) or (place.items if place.type == "map" else None)
            if child is not None and inner is not None:
                below = f"{path}.{name}" if name in place.fields else f"{path}[{name}]"
                out += check_rules(inner, child, below)
    elif isinstance(value, list) and place.items is not None:
        out += _repeated(value, place, path)
        for i, inner in enumerate(value):
            out += check_rules(inner, place.items, f"{path}[{i}]")
    return out


def _repeated(items: list[Any], place: Node, path: str) -> list[Cause]:
    """Elements of keyed lists and of sets are there once."""
    if place.list_type == "atomic":
        return []
    out: list[Cause] = []
    seen: list[Any] = []
    for i, item in enumerate(items):
        keyed = place.list_type == "map" and isinstance(item, dict)
        key = {k: item[k] for k in place.list_keys if k in item} if keyed else item
        if key in seen:
            out.append(duplicate(f"{path}[{i}]", key))
        seen.append(key)
    return out


def _own(value: Any, place: Node, path: str) -> list[Cause]:
    rules = place.rules
    out: list[Cause] = []
    if place.enum and value not in place.enum:
        out.append(unsupported(path, value, place.enum))
    if isinstance(value, str):
        if "maxLength" in rules and len(value) > rules["maxLength"]:
            out.append(too_long(path, rules["maxLength"]))
        if "minLength" in rules and len(value) < rules["minLength"]:
            words = f"{path} in body should be at least {rules['minLength']} chars long"
            out.append(invalid(path, value, words))
        if "pattern" in rules and not _pattern(rules["pattern"]).search(value):
            out.append(invalid(path, value, f"{path} in body should match '{rules['pattern']}'"))
    elif isinstance(value, list):
        if "maxItems" in rules and len(value) > rules["maxItems"]:
            out.append(too_many(path, len(value), rules["maxItems"]))
        if "minItems" in rules and len(value) < rules["minItems"]:
            words = f"{path} in body should have at least {rules['minItems']} items"
            out.append(invalid(path, len(value), words))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if "minimum" in rules and value < rules["minimum"]:
            words = f"{path} in body should be greater than or equal to {rules['minimum']}"
            out.append(invalid(path, value, words))
        if "maximum" in rules and value > rules["maximum"]:
            words = f"{path} in body should be less than or equal to {rules['maximum']}"
            out.append(invalid(path, value, words))
    return out


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)
