"""Walks a decoded object along its schema: each node is made once into a function, and objects run through it.

In: a `Node` and plain JSON values. Out: a new object in the form in which Go would write it, and `Findings`: the first
wrong type, in Go's words, and all unknown fields. Rules of Go's encoder: empty is dropped unless the field is a
pointer (it was given) or is always written; a missing field that is always written appears with its zero value.
"""

from collections.abc import Callable, Mapping
from typing import Any

from madang.kinds.causes import Cause
from madang.kinds.duplicates import key_count
from madang.kinds.leaves import LEAVES, ZEROES
from madang.kinds.schema import Node

# A place: (parent, name, owner). A field has its struct's Go type as owner, a map key "", an index None.
Path = tuple[Any, Any, str | None] | None
Step = Callable[[Any, Path, "Findings"], Any]


class Malformed(ValueError):
    """A value of a wrong type, in the words of Go's decoder."""


class Findings:
    """What one decoding found."""

    __slots__ = ("causes", "counting", "error", "keys", "unknown")

    def __init__(self, counting: bool = False) -> None:
        """`counting`: the keys below places without a schema are asked for, too."""
        self.counting = counting
        self.error = ""
        self.keys = 0  # of all objects that were walked
        self.unknown: list[Path] = []
        self.causes: list[Cause] = []  # wrong types in a custom resource: a 422, and not a 400

    def refuse(self, text: str) -> None:
        """Go goes on after a wrong type, and tells the first."""
        self.error = self.error or text

    def wrong_type(self, value: Any, path: Path, node: Node, go: str) -> Any:
        word = _WORDS.get(value.__class__, "number")
        if node.custom:
            at = spelled(path)
            text = f'Invalid value: "{word}": {at} in body must be of type {node.type}: "{word}"'
            self.causes.append(Cause(at, "FieldValueTypeInvalid", text))
            return DROP
        if word == "number" and node.type in ("integer", "number"):
            word = f"number {value}"
        self.refuse(f"json: cannot unmarshal {word} into {_struct_field(path)} of type {go}")
        return DROP

    def notes(self) -> list[str]:
        return [f'unknown field "{spelled(path)}"' for path in self.unknown]


_WORDS = {dict: "object", list: "array", str: "string", bool: "bool"}
DROP = object()  # what a step answers when nothing is to be written


def spelled(path: Path) -> str:
    """`spec.containers[0].name`."""
    text = ""
    while path is not None:
        path, name, owner = path
        text = (f"[{name}]" if owner is None else f".{name}") + text
    return text.removeprefix(".")


def _struct_field(path: Path) -> str:
    """`Go struct field Container.spec.containers.name`: the innermost struct, then the names of all fields."""
    names: list[str] = []
    struct = ""
    while path is not None:
        path, name, owner = path
        if owner:
            struct = struct or owner
            names.append(name)
    return f"Go struct field {struct}.{'.'.join(reversed(names))}" if names else "Go value"


_steps: dict[int, tuple[Node, Step]] = {}


def walk(node: Node, raw: Any, found: Findings) -> Any:
    return step_of(node)(raw, None, found)


def step_of(node: Node) -> Step:
    """The node's function; nodes live as long as the schema, so their identity is a key."""
    known = _steps.get(id(node))
    if known is None:
        known = _steps[id(node)] = (node, _MAKERS.get(node.type, _leaf)(node))
    return known[1]


def _object(node: Node) -> Step:
    owner = node.go_type or "Object"
    go = node.go or owner
    # name -> (class that needs no look, whether empty stays, step)
    fields = {name: (_plain_class(child), _keeps_empty(child), step_of(child)) for name, child in node.fields.items()}
    always = [(name, child) for name, child in node.fields.items() if child.always and not child.custom]
    plainly = tuple((name, _zero(child)()) for name, child in always if not _made_anew(child))
    zeroes = tuple((name, _zero(child)) for name, child in always if _made_anew(child))
    known = fields.get

    def step(value: Any, path: Path, found: Findings) -> Any:
        if value.__class__ is not dict:
            if isinstance(value, Mapping):
                value = dict(value)
            else:
                return found.wrong_type(value, path, node, go)
        out: dict[str, Any] = {}
        found.keys += len(value)
        for name, item in value.items():
            field = known(name)
            if field is None:
                found.unknown.append((path, name, owner))
                continue
            plain, keeps, inner = field
            if item.__class__ is plain:
                if item or keeps:
                    out[name] = item
            elif item is not None:
                made = inner(item, (path, name, owner), found)
                if made is not DROP:
                    out[name] = made
        for name, empty in plainly:
            if name not in out:
                out[name] = empty
        for name, zero in zeroes:
            if name not in out:
                out[name] = zero()
        return out

    return step


def _plain_class(node: Node) -> type | None:
    return {"string": str, "boolean": bool}.get(node.type)


def _keeps_empty(node: Node) -> bool:
    return node.pointer or node.always or node.custom


def _made_anew(node: Node) -> bool:
    """Whether each object needs a zero of its own: somebody may write into it."""
    return node.type == "object" and not node.pointer


def _zero(node: Node) -> Callable[[], Any]:
    """What Go writes for a field that nobody set."""
    if node.pointer:
        return lambda: None
    if node.type == "object":
        inner = step_of(node)
        return lambda: inner({}, None, Findings())
    value = ZEROES[node.type]
    return lambda: value


def _array(node: Node) -> Step:
    assert node.items is not None
    inner, go = step_of(node.items), node.go or "[]interface {}"
    keeps, plain = _keeps_empty(node), _plain_class(node.items)
    empty = _zero(node.items)

    def step(value: Any, path: Path, found: Findings) -> Any:
        if value.__class__ is not list:
            if not isinstance(value, tuple):
                return found.wrong_type(value, path, node, go)
            value = list(value)
        if not value:
            return [] if keeps else DROP
        out = []
        for at, item in enumerate(value):
            if item.__class__ is plain:
                out.append(item)
            else:
                made = empty() if item is None else inner(item, (path, at, None), found)
                out.append(empty() if made is DROP else made)
        return out

    return step


def _map(node: Node) -> Step:
    assert node.items is not None
    inner, go = step_of(node.items), node.go or "map[string]interface {}"
    keeps, plain = _keeps_empty(node), _plain_class(node.items)
    empty = _zero(node.items)

    def step(value: Any, path: Path, found: Findings) -> Any:
        if value.__class__ is not dict:
            return found.wrong_type(value, path, node, go)
        if not value:
            return {} if keeps else DROP
        out = {}
        found.keys += len(value)
        for key, item in value.items():
            if item.__class__ is plain:
                out[key] = item
            else:
                made = empty() if item is None else inner(item, (path, key, ""), found)
                out[key] = empty() if made is DROP else made
        return out

    return step


def _leaf(node: Node) -> Step:
    read, go, keeps = LEAVES[node.type], node.go, _keeps_empty(node)
    form = node.format

    def step(value: Any, path: Path, found: Findings) -> Any:
        try:
            made = read(value, form)
        except TypeError:
            return found.wrong_type(value, path, node, go)
        except ValueError as fault:
            found.refuse(str(fault))
            return DROP
        return made if made or keeps else DROP

    return step


def _any(node: Node) -> Step:
    keeps = _keeps_empty(node)

    def step(value: Any, _: Path, found: Findings) -> Any:
        if found.counting and value.__class__ in (dict, list):
            found.keys += key_count(value)
        return value if value or keeps else DROP

    return step


_MAKERS: dict[str, Callable[[Node], Step]] = {"object": _object, "array": _array, "map": _map, "any": _any}
