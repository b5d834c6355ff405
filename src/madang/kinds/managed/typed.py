"""Whether a configuration can be applied at all: every field known, every list element named, none twice.

In: the configuration as it came and its schema. Out: the API's own refusal (structured-merge-diff's sentences), which
is an error without a reason: an ordinary write prunes what it does not know, an apply must know what it owns.
"""

from collections.abc import Iterator
from typing import Any

from madang.kinds.managed.conflict import spoken
from madang.kinds.managed.shapes import Shape, element, shape
from madang.kinds.schema import Node
from madang.ports.errors import StatusError
from madang.ports.objects import Obj


def refuse_untyped(applied: Obj, node: Node) -> None:
    """Raises StatusError."""
    found = list(_faults(applied, shape(node), ""))
    if not found:
        return
    meta = applied.get("metadata") or {}
    group, _, version = str(applied.get("apiVersion", "")).rpartition("/")
    what = f"{meta.get('namespace', '')}/{meta.get('name', '')}; {group}/{version}, Kind={applied.get('kind', '')}"
    told = found[0] if len(found) == 1 else "errors:\n" + "\n".join(f"  {f}" for f in found)
    raise StatusError(f"failed to create typed patch object ({what}): {told}", code=500, reason="")


def _faults(value: Any, place: Shape, path: str) -> Iterator[str]:
    if isinstance(value, dict) and place.kind in ("struct", "map"):
        for name, inner in value.items():
            if place.kind == "struct" and name not in place.fields:
                yield f"{path}.{name}: field not declared in schema"
            else:
                yield from _faults(inner, place.child(name)[1], f"{path}.{name}")
    elif isinstance(value, list) and place.item is not None:
        yield from _elements(value, place, path)


def _elements(items: list[Any], place: Shape, path: str) -> Iterator[str]:
    assert place.item is not None
    seen: set[str] = set()
    for i, item in enumerate(items):
        if place.kind == "keyed":
            given = item if isinstance(item, dict) else {}
            missing = next((k for k in place.keys if k not in given and k not in place.defaults), None)
            if missing is not None:
                yield (
                    f"{path}: element {i}: associative list with keys has an element that omits key field "
                    f'"{missing}" (and doesn\'t have default value)'
                )
                continue
        name = element(place, item)
        step = spoken(name)
        if name in seen:
            yield f"{path}: duplicate entries for key {step}"
        seen.add(name)
        yield from _faults(item, place.item, path + step)
