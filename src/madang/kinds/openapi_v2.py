"""The OpenAPI v2 document: the definitions of all kinds, which kubectl reads to check a file of `kind: List`.

In: the v3 documents (`kinds.openapi`). Out: one document, without paths: whoever asks what a path takes asks v3.
"""

from functools import cache
from typing import Any

from madang.kinds import openapi
from madang.kinds.table import REVIEWS, SERVED
from madang.ports.objects import Obj

_V3, _V2 = "#/components/schemas/", "#/definitions/"


@cache
def document() -> Obj:
    definitions: Obj = {}
    for group, version in dict.fromkeys((s.group, s.version) for s in (*SERVED, *REVIEWS)):
        found = openapi.document(group, version) or {}
        for name, schema in found["components"]["schemas"].items():
            # a kind that another group only refers to carries no group, version and kind there
            if name not in definitions or "x-kubernetes-group-version-kind" in schema:
                definitions[name] = _schema(schema)
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": "v1.36.0"},
        "paths": {},
        "definitions": dict(sorted(definitions.items())),
    }


def _schema(v3: Obj) -> Obj:
    if "oneOf" in v3:  # v2 has no choice of types: quantities and the like are strings there
        return {"type": "string", **({"format": v3["format"]} if "format" in v3 else {})}
    out: Obj = {name: _inner(name, value) for name, value in v3.items() if name not in ("allOf", "$ref")}
    for part in (v3, *v3.get("allOf", ())):
        if "$ref" in part:
            out = {"$ref": part["$ref"].replace(_V3, _V2), **{k: v for k, v in out.items() if k != "default"}}
    return out


def _inner(name: str, value: Any) -> Any:
    if name == "properties":
        return {inner: _schema(schema) for inner, schema in value.items()}
    if name in ("items", "additionalProperties") and isinstance(value, dict):
        return _schema(value)
    return value
