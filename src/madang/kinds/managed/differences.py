"""From objects to sets of fields: what an object holds, and how two differ.

In: decoded objects and shapes. Out: fieldsV1 sets. The rules are those of structured-merge-diff: a place that is new
is a member with all below it; atomic places and empty ones are leaves; a place that both sides have is no member,
only what differs below it is.
"""

from typing import Any

from madang.kinds.managed.sets import LEAF, SELF, Set
from madang.kinds.managed.shapes import Shape, element


def whole(value: Any, shape: Shape) -> Set:
    """Of a place that was not there before: itself and everything in it."""
    if not value or shape.kind == "leaf":
        return LEAF
    out: Set = {SELF: LEAF}
    if isinstance(value, dict):
        fields = shape.fields
        for name, inner in value.items():
            key, child = fields.get(name) or shape.child(name)
            out[key] = LEAF if child.kind == "leaf" else whole(inner, child)
        return out
    if isinstance(value, list) and shape.item is not None:
        if shape.kind == "set":
            for item in value:
                out[element(shape, item)] = LEAF
        else:
            for item in value:
                out[element(shape, item)] = whole(item, shape.item)
        return out
    return LEAF


def created(obj: dict[str, Any], shape: Shape) -> Set:
    """Of an object against the empty one of its kind, whose given places are there already."""
    out: Set = {}
    fields = shape.fields
    for name, value in obj.items():
        found = fields.get(name)
        if found is None:
            continue
        key, child = found
        if not child.given:
            out[key] = LEAF if child.kind == "leaf" else whole(value, child)
        elif value:
            if child.kind == "struct":
                if inner := created(value, child):
                    out[key] = inner
            elif child.kind == "leaf":
                out[key] = LEAF
            else:
                inner = dict(whole(value, child))
                inner.pop(SELF, None)
                out[key] = inner
    return out


def held(value: Any, shape: Shape) -> Set | None:
    """Of an applied configuration: its leaves, its list items and its empty maps (typed ToFieldSet)."""
    if shape.kind == "leaf":
        return LEAF
    out: Set = {}
    if isinstance(value, dict):
        for name, inner in value.items():
            key, child = shape.fields.get(name) or shape.child(name)
            found = held(inner, child)
            if inner is None or inner == {}:
                found = LEAF
            elif name not in shape.fields and found:
                found = {SELF: LEAF, **found}
            if found is not None:
                out[key] = found
        return out or None
    if isinstance(value, list):
        if shape.item is None:
            return LEAF
        for item in value:
            found = held(item, shape.item)
            out[element(shape, item)] = {SELF: LEAF, **found} if found else LEAF
        return out or None
    return LEAF


def held_root(obj: dict[str, Any], shape: Shape) -> Set:
    """The same of a whole object; what nobody owns is left out."""
    out: Set = {}
    for name, value in obj.items():
        if name not in shape.fields:
            continue
        key, child = shape.fields[name]
        if name == "metadata":
            value = {k: v for k, v in value.items() if k in child.fields} if isinstance(value, dict) else {}
            if not value:
                continue
        if (found := LEAF if value == {} else held(value, child)) is not None:
            out[key] = found
    return out


def differ(old: Any, new: Any, shape: Shape) -> tuple[Set | None, Set | None]:
    """(added or changed, removed) of two values of one place that are not equal."""
    if shape.kind != "leaf" and isinstance(old, dict) and isinstance(new, dict):
        return _maps(old, new, shape)
    if shape.item is not None and isinstance(old, list) and isinstance(new, list):
        return _lists(old, new, shape)
    return LEAF, None


def _maps(old: dict[str, Any], new: dict[str, Any], shape: Shape) -> tuple[Set | None, Set | None]:
    changed: Set = {}
    removed: Set = {}
    for name, value in new.items():
        if name in old:
            before = old[name]
            if before is value or before == value:
                continue
            key, child = shape.fields.get(name) or shape.child(name)
            if child.kind == "leaf":
                changed[key] = LEAF
                continue
            more, less = differ(before, value, child)
            if more is not None:
                changed[key] = more
            if less is not None:
                removed[key] = less
        else:
            key, child = shape.fields.get(name) or shape.child(name)
            changed[key] = whole(value, child)
    for name, value in old.items():
        if name not in new:
            key, child = shape.fields.get(name) or shape.child(name)
            removed[key] = whole(value, child)
    return changed or None, removed or None


def _lists(old: list[Any], new: list[Any], shape: Shape) -> tuple[Set | None, Set | None]:
    assert shape.item is not None
    before = {element(shape, item): item for item in old}
    after = {element(shape, item): item for item in new}
    changed: Set = {}
    removed: Set = {}
    for key, item in after.items():
        if key not in before:
            changed[key] = whole(item, shape.item)
        elif before[key] != item:
            more, less = differ(before[key], item, shape.item)
            if more is not None:
                changed[key] = more
            if less is not None:
                removed[key] = less
    for key, item in before.items():
        if key not in after:
            removed[key] = whole(item, shape.item)
    return changed or None, removed or None


def differ_root(old: dict[str, Any], new: dict[str, Any], shape: Shape) -> tuple[Set, Set]:
    """(added or changed, removed) of two whole objects."""
    changed: Set = {}
    removed: Set = {}
    for name, (key, child) in shape.fields.items():
        before, after = old.get(name), new.get(name)
        if before is after or before == after:
            continue
        if name == "metadata":
            before = {k: v for k, v in (before or {}).items() if k in child.fields}
            after = {k: v for k, v in (after or {}).items() if k in child.fields}
            more, less = _maps(before, after, child)
        elif name not in new:
            more, less = None, whole(before, child)
        elif name not in old:
            more, less = _added(after, child), None
        else:
            more, less = differ(before, after, child)
        if more is not None:
            changed[key] = more
        if less is not None:
            removed[key] = less
    return changed, removed


def _added(value: Any, shape: Shape) -> Set | None:
    if shape.given and shape.kind == "struct" and isinstance(value, dict):
        return created(value, shape) or None
    return whole(value, shape)
