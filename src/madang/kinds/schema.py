"""The shape of a kind: a tree of nodes, reduced at build time from Kubernetes' published schemas.

In: `schemas.json` (made by tools/reduce_schemas.py). Out: `Node` trees, loaded on demand and shared. Decoding,
pruning, patches, field ownership and validation all walk these same trees.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

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
    format: str = ""  # int32, int64, byte, date-time, double
    default: object = None
    enum: tuple[str, ...] = ()
