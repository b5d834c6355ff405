"""Sets of fields, in the form in which they are stored: fieldsV1.

`{"f:spec": {"f:replicas": {}, "f:ports": {".": {}, "k:{...}": {...}}}}`: a place is a member if it is empty or holds
".". The operations below never change a set and share what they can; None stands for "nothing at this place".
The root is never a member: an empty root is the empty set.
"""

from typing import Any

Set = dict[str, Any]
LEAF: Set = {}  # shared: sets are never changed in place
SELF = "."


def member(place: Set) -> bool:
    return not place or SELF in place


def union(left: Set, right: Set) -> Set:
    """Of two places below the root."""
    if left is right:
        return left
    if not left or not right:
        rest = left or right
        return rest if not rest or SELF in rest else {SELF: LEAF, **rest}
    out = left
    for name, place in right.items():
        mine = left.get(name)
        both = place if mine is None else union(mine, place)
        if both is not mine:
            if out is left:
                out = dict(left)
            out[name] = both
    return out


def difference(left: Set, right: Set) -> Set | None:
    """What of `left` is not in `right`, place by place."""
    if not right:  # only the place itself is taken away
        rest = {k: v for k, v in left.items() if k != SELF}
        return rest or None
    if not left:
        return None if SELF in right else LEAF
    if left.keys().isdisjoint(right):
        return _tidy(left)
    out: Set = {}
    for name, place in left.items():
        if name == SELF:
            if SELF not in right:
                out[SELF] = LEAF
            continue
        other = right.get(name)
        kept = place if other is None else difference(place, other)
        if kept is not None:
            out[name] = kept
    return _tidy(out)


def intersection(left: Set, right: Set) -> Set | None:
    if not left:
        return LEAF if member(right) else None
    if not right:
        return LEAF if SELF in left else None
    out: Set = {}
    for name, place in left.items():
        other = right.get(name)
        if other is None:
            continue
        both = LEAF if name == SELF else intersection(place, other)
        if both is not None:
            out[name] = both
    return _tidy(out)


def _tidy(out: Set) -> Set | None:
    """A place that holds nothing but itself is written as an empty one."""
    if len(out) == 1 and SELF in out:
        return LEAF
    return out or None


def join(left: Set, right: Set) -> Set:
    """Union of two whole sets."""
    return union(left, right) if left and right else left or right


def minus(left: Set, right: Set) -> Set:
    """Difference of two whole sets."""
    return (difference(left, right) or {}) if left and right else left


def common(left: Set, right: Set) -> Set:
    """Intersection of two whole sets."""
    return (intersection(left, right) or {}) if left and right else {}


def without(whole: Set, paths: tuple[tuple[str, ...], ...]) -> Set:
    """`whole` without these places and everything below them."""
    for path in paths:
        whole = _without(whole, path) or {}
    return whole


def _without(place: Set, path: tuple[str, ...]) -> Set | None:
    inner = place.get(path[0])
    if inner is None:
        return place
    kept = _without(inner, path[1:]) if len(path) > 1 else None
    out = {k: v for k, v in place.items() if k != path[0]}
    if kept is not None:
        out[path[0]] = kept
    return _tidy(out)
