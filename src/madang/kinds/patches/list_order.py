"""Where the elements of a merged list end up: what the patch names in the patch's order, the rest in the list's own.

In: the merged elements, the order that the patch gives (elements or keys) and the list as it was. Out: the elements
in order. An element that the list did not have goes before its left-over neighbours, which surprises, and is what
the API does (strategicpatch mergeSortedSlice).
"""

from collections.abc import Sequence
from typing import Any


def ordered(merged: Sequence[Any], order: Sequence[Any], before: Sequence[Any], key: str) -> list[Any]:
    wanted, old = [_name(e, key) for e in order], [_name(e, key) for e in before]
    asked = sorted((e for e in merged if _name(e, key) in wanted), key=lambda e: wanted.index(_name(e, key)))
    rest = [e for e in merged if _name(e, key) not in wanted]
    rest.sort(key=lambda e: old.index(_name(e, key)) if _name(e, key) in old else len(old))
    out: list[Any] = []
    while asked and rest:
        mine, other = _name(asked[0], key), _name(rest[0], key)
        first = mine in old and other in old and old.index(other) < old.index(mine)
        out.append(rest.pop(0) if first else asked.pop(0))
    return [*out, *asked, *rest]


def _name(element: Any, key: str) -> Any:
    return element.get(key) if key and isinstance(element, dict) else element
