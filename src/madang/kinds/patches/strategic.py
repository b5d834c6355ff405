"""Strategic merge patch: maps merge, and so do lists whose schema names a merge key or says `merge`.

In: an object (never changed), a patch and the kind's schema tree. Out: a new object. The directives are those of
apimachinery util/strategicpatch: `$patch` (replace, delete, merge), `$retainKeys`, `$setElementOrder/LIST`,
`$deleteFromPrimitiveList/LIST`; null removes. Where elements end up is in `list_order`.
"""

from typing import Any

from madang.kinds.patches.list_order import ordered
from madang.kinds.patches.refusals import failed, malformed, undoable, unreadable
from madang.kinds.schema import Node
from madang.ports.objects import Obj

PATCH = "$patch"
RETAIN = "$retainKeys"
ORDER = "$setElementOrder/"
REMOVE = "$deleteFromPrimitiveList/"

Map = dict[str, Any]
_UNKNOWN = Node("any")


def apply_strategic(obj: Obj, patch: Any, node: Node) -> Obj:
    """Raises StatusError."""
    if not isinstance(patch, dict):
        raise unreadable(patch, "map[string]interface {}", "")
    return _map(obj, patch, node)


def _child(node: Node, key: str) -> Node:
    return node.fields.get(key) or (node.items if node.type == "map" and node.items else _UNKNOWN)


def _map(original: Map, patch: Map, node: Node) -> Map:
    if PATCH in patch:
        return _whole(original, patch, node)
    out = dict(original)
    if RETAIN in patch:
        _retain(out, patch)
    done = _ordered_lists(out, patch, node)
    for key, value in patch.items():
        if key in done or key == RETAIN or key.startswith(ORDER):
            continue
        if key.startswith(REMOVE):
            _remove_values(out, key.removeprefix(REMOVE), value)
        elif value is None:
            out.pop(key, None)
        else:
            out[key] = _value(out.get(key), value, _child(node, key))
    return out


def _whole(original: Map, patch: Map, node: Node) -> Map:
    rest = {k: v for k, v in patch.items() if k != PATCH}
    match patch[PATCH]:
        case "replace":
            return rest
        case "delete":
            return {}
        case "merge":
            return _map(original, rest, node)
        case other:
            raise failed(f"unknown patch type: {other}")


def _value(original: Any, value: Any, node: Node) -> Any:
    if isinstance(value, dict):
        if isinstance(original, dict) and "replace" not in node.patch_strategy:
            return _map(original, value, node)
        return _plain(value)
    if isinstance(value, list):
        if isinstance(original, list) and "merge" in node.patch_strategy:
            return _list(original, value, node)
        return _plain(value)
    return value


def _plain(value: Any) -> Any:
    """What is added as a whole: directives and nulls mean nothing there."""
    if isinstance(value, dict):
        if value.get(PATCH) == "delete":
            return {}
        return {k: _plain(v) for k, v in value.items() if v is not None and not k.startswith("$")}
    if isinstance(value, list):
        return [_plain(v) for v in value if not (isinstance(v, dict) and PATCH in v)]
    return value


def _retain(out: Map, patch: Map) -> None:
    keep = patch[RETAIN]
    if not isinstance(keep, list):
        raise malformed("invalid patch format of retainKeys")
    for key, value in patch.items():
        if value is not None and not key.startswith("$") and key not in keep:
            raise malformed("invalid patch format of retainKeys")
    for key in [k for k in out if k not in keep]:
        del out[key]


def _remove_values(out: Map, key: str, values: Any) -> None:
    if not isinstance(values, list):
        raise malformed("invalid patch format of primitive list")
    if isinstance(out.get(key), list):
        out[key] = [v for v in out[key] if v not in values]


def _ordered_lists(out: Map, patch: Map, node: Node) -> set[str]:
    """Merges the lists whose order the patch gives; their keys are done with."""
    done: set[str] = set()
    for directive, order in patch.items():
        if not directive.startswith(ORDER):
            continue
        key = directive.removeprefix(ORDER)
        child, before, change = _child(node, key), out.get(key), patch.get(key)
        if not isinstance(order, list):
            raise malformed("invalid patch format of setElementOrder list")
        _check_order(change, order, child.merge_key)
        # Values that the same patch removes from a list of primitives must be gone before it is ordered.
        if (gone := patch.get(REMOVE + key)) is not None:
            _remove_values(out, key, gone)
            done.add(REMOVE + key)
        merged = out.get(key)
        if isinstance(change, list):
            merged = _value(merged, change, child)
            done.add(key)
        if isinstance(merged, list):
            out[key] = ordered(merged, order, before if isinstance(before, list) else [], child.merge_key)
    return done


def _check_order(change: Any, order: list[Any], key: str) -> None:
    """The patch's elements must come in the order that it asks for."""
    if not isinstance(change, list):
        return
    wanted = [o.get(key) if isinstance(o, dict) else o for o in order]
    at = 0
    for element in change:
        if isinstance(element, dict) and PATCH in element:
            continue
        found = element.get(key) if isinstance(element, dict) else element
        if found not in wanted[at:]:
            raise failed(f"The order in patch list:\n{change}\n doesn't match {ORDER[:-1]} list:\n{order}\n")
        at = wanted.index(found, at) + 1


def _list(original: list[Any], patch: list[Any], node: Node) -> list[Any]:
    if any(isinstance(v, list) for v in (*original, *patch)):
        raise undoable()
    if not any(isinstance(v, dict) for v in (*original, *patch)):
        both = [*original, *(v for i, v in enumerate(patch) if v not in original and v not in patch[:i])]
        return ordered(both, patch, original, "")
    key = node.merge_key
    if not key:
        raise failed(f"cannot merge lists without merge key for {node.go_type}")
    original, patch, replaced = _specials(original, patch, key)
    if replaced:
        return original
    merged = list(original)
    for element in patch:
        at = _find(merged, _key_of(element, key), key)
        if at is None:
            merged.append(_plain(element))
        else:
            merged[at] = _map(merged[at], element, node.items or _UNKNOWN)
    return ordered(merged, patch, original, key)


def _specials(original: list[Any], patch: list[Any], key: str) -> tuple[list[Any], list[Any], bool]:
    """Elements that carry `$patch`: delete removes the element of that key, replace forgets the list."""
    plain = [_dict(e) for e in patch if PATCH not in _dict(e)]
    replace = False
    for element in patch:
        match element.get(PATCH):
            case None:
                continue
            case "delete":
                if key not in element:
                    raise failed("delete patch type with no merge key defined")
                original = [e for e in original if _dict(e).get(key) != element[key]]
            case "replace":
                replace = True
            case "merge":
                raise failed("merging list cannot yet be specified in the patch")
            case other:
                raise failed(f"unknown patch type found: {other}")
    return ([_plain(e) for e in plain], [], True) if replace else (original, plain, False)


def _dict(element: Any) -> Map:
    if not isinstance(element, dict):
        raise malformed("invalid JSON document")
    return element


def _key_of(element: Map, key: str) -> Any:
    if key not in element:
        raise failed(f"map: {go_map(element)} does not contain declared merge key: {key}")
    return element[key]


def _find(elements: list[Any], wanted: Any, key: str) -> int | None:
    return next((i for i, e in enumerate(elements) if _key_of(_dict(e), key) == wanted), None)


def go_map(value: Any) -> str:
    """As Go prints a decoded value with %v."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{k}:{go_map(v)}" for k, v in sorted(value.items())) + "]"
    if isinstance(value, list):
        return "[" + " ".join(go_map(v) for v in value) + "]"
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)
