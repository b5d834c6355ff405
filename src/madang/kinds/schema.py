"""The shape of a kind: a tree of nodes, reduced at build time from Kubernetes' published schemas.

In: `schemas.json` (made by tools/reduce_schemas.py). Out: `Node` trees, loaded on demand and shared. Decoding,
pruning, patches, field ownership and validation all walk these same trees.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

NodeType = Literal[
    "object", "map", "array", "string", "integer", "number", "boolean", "quantity", "int-or-string", "time", "bytes",
    "any",
]  # fmt: skip


@dataclass(slots=True)
class Node:
    """One place of a schema. `items` is an array's item or a map's value.

    `list_type` is the x-kubernetes-list-type (server-side apply), `merge_key` the patchMergeKey (strategic merge).
    """

    type: NodeType
    go_type: str = ""  # e.g. `PodSpec`: the API's messages name it
    fields: Mapping[str, "Node"] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    items: "Node | None" = None
    list_type: Literal["atomic", "set", "map"] = "atomic"
    list_keys: tuple[str, ...] = ()
    merge_key: str = ""
    patch_strategy: frozenset[str] = frozenset()  # of merge, replace, retainKeys
    map_type: Literal["granular", "atomic"] = "granular"
    format: str = ""  # int32, int64, byte, date-time, date-time-micro, double
    default: object = None
    enum: tuple[str, ...] = ()
    go: str = ""  # the field's type as Go prints it, e.g. `v1.Protocol`, `[]v1.Container`
    pointer: bool = False  # an empty value that was given is kept
    always: bool = False  # written even when it is empty: `"resources": {}`
    custom: bool = False  # of a custom resource: nothing is dropped for being empty, defaults are the schema's
    rules: Mapping[str, Any] = field(default_factory=dict)  # a custom resource's maxLength, pattern, ...


_FORMATS: dict[str, tuple[NodeType, str, str]] = {  # name in the file -> type, format, Go's word
    "string": ("string", "", "string"),
    "boolean": ("boolean", "", "bool"),
    "int32": ("integer", "int32", "int32"),
    "int64": ("integer", "int64", "int64"),
    "double": ("number", "double", "float64"),
    "bytes": ("bytes", "byte", "[]uint8"),
    "time": ("time", "date-time", "v1.Time"),
    "microtime": ("time", "date-time-micro", "v1.MicroTime"),
    "quantity": ("quantity", "", "resource.Quantity"),
    "int-or-string": ("int-or-string", "", "intstr.IntOrString"),
    "any": ("any", "", ""),
}


@cache
def _file() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(Path(__file__).with_name("schemas.json").read_text("utf-8"))
    return loaded


@cache
def node(group: str, version: str, kind: str) -> Node:
    """The tree of a served kind; KeyError where there is none."""
    return definition(_file()["kinds"][f"{group}/{version}/{kind}"])


def kind_definitions() -> Mapping[str, str]:
    """`apps/v1/Deployment` -> the name of its definition."""
    found: Mapping[str, str] = _file()["kinds"]
    return found


def definitions() -> Mapping[str, Any]:
    """All definitions in the file's own short form."""
    found: Mapping[str, Any] = _file()["definitions"]
    return found


def has(group: str, version: str, kind: str) -> bool:
    return f"{group}/{version}/{kind}" in _file()["kinds"]


@cache
def definition(name: str) -> Node:
    """A named part, e.g. `core.v1.PodSpec`: one tree, shared by all places that refer to it."""
    group_version, go_type = name.rsplit(".", 1)
    raw = _file()["definitions"][name]
    made = _object(raw, go_type, custom="c" in raw)
    made.go = f"{group_version.rsplit('.', 1)[-1]}.{go_type}"
    return made


def _object(raw: Mapping[str, Any], go_type: str, custom: bool) -> Node:
    fields = {name: _place(child, custom) for name, child in raw["f"].items()}
    return Node(
        "object", go_type, fields, tuple(raw.get("q", ())), map_type=raw.get("m", "granular"), custom=custom,
    )  # fmt: skip


_plain: dict[tuple[str, bool], Node] = {}  # leaves with nothing to say but their type are one node each


def _place(raw: str | Mapping[str, Any], custom: bool) -> Node:
    if isinstance(raw, str):
        if (raw, custom) not in _plain:
            kind, form, go = _FORMATS[raw]
            _plain[raw, custom] = Node(kind, format=form, go=go, custom=custom)
        return _plain[raw, custom]
    if "r" in raw:
        made = definition(raw["r"])
        return replace(made, **_marks(raw)) if len(raw) > 1 else made
    kind = raw["t"]
    if kind == "object":
        made = _object(raw, "", custom)
    elif kind in ("array", "map"):
        made = Node(kind, items=_place(raw["i"], custom), custom=custom)
    else:
        named, form, go = _FORMATS[kind]
        made = Node(named, format=form, go=go, custom=custom)
    for name, value in _marks(raw).items():
        setattr(made, name, value)
    return made


def _marks(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that belong to the place and not to the type that stands there."""
    marks: dict[str, Any] = {"pointer": "p" in raw, "always": "k" in raw}
    for short, name in (("l", "list_type"), ("mk", "merge_key"), ("m", "map_type"), ("d", "default"), ("v", "rules"),
                        ("g", "go")):  # fmt: skip
        if short in raw:
            marks[name] = raw[short]
    if "lk" in raw:
        marks["list_keys"] = tuple(raw["lk"])
    if "ps" in raw:
        marks["patch_strategy"] = frozenset(raw["ps"])
    if "e" in raw:
        marks["enum"] = tuple(raw["e"])
    return marks
