"""What field ownership needs to know of a schema's place, worked out once a node.

In: `kinds.schema.Node` trees. Out: `Shape` trees: leaf, struct, map, set or keyed list, with the names of the fields
as fieldsV1 spells them. The root's shape leaves out what nobody owns (apiVersion, kind, name, uid, ...).
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import orjson

from madang.kinds.schema import Node

ShapeKind = Literal["leaf", "struct", "map", "any", "set", "keyed"]

# Never owned (apimachinery managedfields stripMeta).
UNOWNED = frozenset({"apiVersion", "kind"})
UNOWNED_META = frozenset({
    "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields",
    "resourceVersion",
})  # fmt: skip


@dataclass(slots=True)
class Shape:
    """`fields`: name -> (its name in fieldsV1, shape). `given`: the empty object has this place already (Go's
    structs by value and fields without omitempty), so it is not new when it is first filled."""

    kind: ShapeKind
    fields: "dict[str, tuple[str, Shape]]" = field(default_factory=dict)
    item: "Shape | None" = None
    keys: tuple[str, ...] = ()
    defaults: dict[str, Any] = field(default_factory=dict)
    given: bool = False
    node: Node | None = None  # keeps the node alive: the cache below goes by its id

    def child(self, name: str) -> "tuple[str, Shape]":
        found = self.fields.get(name)
        if found is None:
            # What a schema does not know is taken as it looks: maps granular, lists as one.
            found = ("f:" + name, self.item or ANY)
        return found


LEAF_SHAPE = Shape("leaf")
ANY = Shape("any")
_shapes: dict[int, Shape] = {}
_roots: dict[int, Shape] = {}


def shape(node: Node) -> Shape:
    found = _shapes.get(id(node))
    if found is None:
        made = Shape("leaf", given=node.always, node=node)
        _shapes[id(node)] = made  # before its children: schemas may refer to themselves
        _fill(made, node)
        found = made
    return found


def root(node: Node) -> Shape:
    """The shape of a whole object."""
    found = _roots.get(id(node))
    if found is None:
        whole = shape(node)
        fields = {k: v for k, v in whole.fields.items() if k not in UNOWNED}
        name, meta = whole.fields["metadata"]
        kept = {k: v for k, v in meta.fields.items() if k not in UNOWNED_META}
        fields["metadata"] = (name, Shape("struct", kept, given=True))
        found = Shape("struct", fields, node=node)
        _roots[id(node)] = found
    return found


def _fill(made: Shape, node: Node) -> None:
    if node.type == "any":
        made.kind = "any"
    elif node.type == "object" and node.map_type == "granular":
        made.kind = "struct"
        made.fields = {k: ("f:" + k, shape(n)) for k, n in node.fields.items()}
    elif node.type == "map" and node.map_type == "granular":
        made.kind = "map"
        made.item = shape(node.items) if node.items else ANY
    elif node.type == "array" and node.list_type == "set":
        made.kind = "set"
        made.item = LEAF_SHAPE
    elif node.type == "array" and node.list_type == "map" and node.items:
        made.kind = "keyed"
        made.item, made.keys = shape(node.items), tuple(sorted(node.list_keys))
        fields = node.items.fields
        made.defaults = {k: fields[k].default for k in made.keys if k in fields and fields[k].default is not None}


def element(shape: Shape, item: Any) -> str:
    """A list item's name in fieldsV1: its value, or its keys' values."""
    if shape.kind == "set":
        return "v:" + orjson.dumps(item).decode()
    if not isinstance(item, dict):
        return "v:" + orjson.dumps(item).decode()
    defaults = shape.defaults
    values = tuple(item.get(k, defaults.get(k)) for k in shape.keys)
    try:
        return _element(shape.keys, values)
    except TypeError:  # a key that is no scalar; whoever decodes the object refuses it
        return "k:" + orjson.dumps(dict(zip(shape.keys, values))).decode()


@lru_cache(maxsize=8192)
def _element(keys: tuple[str, ...], values: tuple[Any, ...]) -> str:
    return "k:" + orjson.dumps({k: v for k, v in zip(keys, values) if v is not None}).decode()
