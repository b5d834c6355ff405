"""The values of server-side apply: a configuration merged into an object, and items taken out of one.

In: decoded objects and shapes. Out: new values, which share what they left alone. The order of merged lists follows
structured-merge-diff: items of the configuration in its order, the others where they stood.
"""

from typing import Any

from madang.kinds.managed.sets import SELF, Set, member
from madang.kinds.managed.shapes import Shape, element


def merge(old: Any, new: Any, shape: Shape) -> Any:
    """`new` wins; maps and keyed lists join."""
    if shape.kind == "leaf":
        return new
    if isinstance(new, dict) and isinstance(old, dict):
        out = dict(old)
        for name, value in new.items():
            out[name] = merge(old[name], value, shape.child(name)[1]) if name in old else value
        return out
    if isinstance(new, list) and isinstance(old, list) and shape.item is not None:
        return _merge_lists(old, new, shape)
    return new


def _merge_lists(old: list[Any], new: list[Any], shape: Shape) -> list[Any]:
    assert shape.item is not None
    left, right = [element(shape, v) for v in old], [element(shape, v) for v in new]
    olds, news = dict(zip(left, old)), dict(zip(right, new))
    shared = [k for k in right if k in olds]
    done: set[str] = set()
    out: list[Any] = []
    i = j = 0
    while i < len(left) or j < len(right):
        if i < len(left):
            key = left[i]
            if key not in news:
                out.append(old[i])
                i += 1
                continue
            if key in done or (j < len(right) and key != right[j] and shared and shared[0] != key):
                i += 1  # it stands, or will stand, where the configuration wants it
                continue
        if j < len(right):
            key = right[j]
            out.append(merge(olds[key], news[key], shape.item) if key in olds else news[key])
            done.add(key)
            j += 1
            if shared and shared[0] == key:
                shared.pop(0)
    return out


def remove(value: Any, gone: Set, shape: Shape) -> Any:
    """`value` without the members of `gone`; None where nothing is left of it."""
    if shape.kind == "leaf":
        return value
    if isinstance(value, dict):
        out = {}
        for name, inner in value.items():
            key, child = shape.child(name)
            kept = _removed(inner, gone.get(key), child)
            if kept is not None or inner is None:
                out[name] = kept
        return out or None
    if isinstance(value, list) and shape.item is not None:
        items = []
        for item in value:
            kept = _removed(item, gone.get(element(shape, item)), shape.item)
            if kept is not None:
                items.append(kept)
        return items or None
    return value


def _removed(value: Any, gone: Set | None, shape: Shape) -> Any:
    if gone is None:
        return value
    if member(gone):
        return None
    return remove(value, gone, shape)


def with_named(place: Set, shape: Shape) -> Set:
    """Fields of structs below which something is a member count as members (EnsureNamedFieldsAreMembers)."""
    out: Set = {}
    for key, inner in place.items():
        if key == SELF:
            out[key] = inner
            continue
        child, named = _below(key, shape)
        below = with_named(inner, child) if inner else inner
        out[key] = {SELF: {}, **below} if named and below and SELF not in below else below
    return out


def _below(key: str, shape: Shape) -> tuple[Shape, bool]:
    if key.startswith("f:"):
        return shape.child(key[2:])[1], key[2:] in shape.fields
    return shape.item or shape, False
