"""The Table form of objects (meta.k8s.io/v1), which kubectl asks for: the server says what the columns are.

In: a kind, objects as they are stored, the hour. Out: a Table body; the same for the partial forms that carry only
metadata (PartialObjectMetadata).
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from madang.kinds.columns.cells import AGE, NAME
from madang.kinds.columns.pods import CONDITIONS
from madang.kinds.columns.workloads import SCALE
from madang.kinds.kind import Column, Kind
from madang.ports.objects import Obj

Include = Literal["None", "Metadata", "Object"]
GROUP_VERSION = "meta.k8s.io/v1"


def table(
    kind: Kind,
    objects: Iterable[Obj],
    now: float,
    *,
    include: Include = "Metadata",
    metadata: Mapping[str, Any] | None = None,
    columns: bool = True,
    subresource: str = "",
) -> Obj:
    """`metadata` is the list's (resourceVersion, continue, remainingItemCount). In a watch only the first Table
    names its columns."""
    return {
        "kind": "Table",
        "apiVersion": GROUP_VERSION,
        "metadata": dict(metadata or {}),
        "columnDefinitions": definitions(kind, subresource) if columns else None,
        "rows": [row(kind, obj, now, include, subresource) for obj in objects],
    }


def definitions(kind: Kind, subresource: str = "") -> list[Obj]:
    return [
        {
            "name": column.name,
            "type": column.type,
            "format": column.format,
            "description": column.description,
            "priority": column.priority,
        }
        for column in _columns(kind, subresource)
    ]


def _columns(kind: Kind, subresource: str) -> Iterable[Column]:
    return SCALE if subresource == "scale" else kind.columns or (NAME, AGE)


def row(kind: Kind, obj: Obj, now: float, include: Include = "Metadata", subresource: str = "") -> Obj:
    made: Obj = {"cells": [column.cell(obj, now) for column in _columns(kind, subresource)]}
    if kind.id == "pods":
        over = CONDITIONS.get((obj.get("status") or {}).get("phase", ""))
        if over:
            made["conditions"] = [over]
    if include == "Metadata":
        made["object"] = partial(obj)
    else:
        made["object"] = obj if include == "Object" else None
    return made


def partial(obj: Obj) -> Obj:
    """PartialObjectMetadata."""
    return {"kind": "PartialObjectMetadata", "apiVersion": GROUP_VERSION, "metadata": obj["metadata"]}
