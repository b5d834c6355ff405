"""The OpenAPI v3 documents: one a group version, built from the kind table and its schemas.

In: the table. Out: the index (/openapi/v3) and each document, as far as clients read them: kubectl looks up whether a
PATCH takes `fieldValidation`, and the merge keys of a strategic patch; `kubectl explain` shows fields and types. The
fields' descriptions are not kept here.
"""

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from madang.kinds.kind import Subresource
from madang.kinds.schema import definitions, kind_definitions
from madang.kinds.table import REVIEWS, SERVED, Served
from madang.ports.objects import Obj

_PREFIXES = {"meta.v1": "io.k8s.apimachinery.pkg.apis.meta.v1", "gateway.v1": "io.k8s.networking.gateway.v1",
             "metrics.v1beta1": "io.k8s.metrics.pkg.apis.metrics.v1beta1"}  # fmt: skip
_LEAVES: Mapping[str, Obj] = {
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "double": {"type": "number", "format": "double"},
    "bytes": {"type": "string", "format": "byte"},
    "time": {"type": "string", "format": "date-time"},
    "microtime": {"type": "string", "format": "date-time"},
    "any": {"type": "object"},
}
# Leaves that have names of their own, which `kubectl explain` shows.
_NAMED: Mapping[str, tuple[str, Obj]] = {
    "quantity": ("io.k8s.apimachinery.pkg.api.resource.Quantity", {"oneOf": [{"type": "string"}, {"type": "number"}]}),
    "int-or-string": (
        "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
        {"oneOf": [{"type": "integer"}, {"type": "string"}], "format": "int-or-string"},
    ),
}
_MARKS = {"l": "x-kubernetes-list-type", "lk": "x-kubernetes-list-map-keys", "mk": "x-kubernetes-patch-merge-key",
          "m": "x-kubernetes-map-type", "d": "default", "e": "enum"}  # fmt: skip
_PATCHES = ("application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json",
            "application/strategic-merge-patch+json")  # fmt: skip
_METHODS = {"get": ("get", "get"), "create": ("post", "post"), "update": ("put", "put"), "patch": ("patch", "patch"),
            "delete": ("delete", "delete")}  # fmt: skip
_WRITES = ("post", "put", "patch")


@cache
def index() -> Obj:
    """/openapi/v3. The hash in each address changes with the content, so that clients may keep it."""
    content = Path(__file__).with_name("schemas.json").read_bytes()
    paths = {}
    for group, version in dict.fromkeys((s.group, s.version) for s in (*SERVED, *REVIEWS)):
        path = f"apis/{group}/{version}" if group else f"api/{version}"
        rows = repr([(s.kind.plural, s.kind.verbs, s.kind.subresources) for s in _of(group, version)])
        digest = hashlib.sha256(content + path.encode() + rows.encode()).hexdigest()[:32].upper()
        paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
    return {"paths": paths}


def _of(group: str, version: str) -> tuple[Served, ...]:
    return tuple(s for s in (*SERVED, *REVIEWS) if (s.group, s.version) == (group, version))


def document(group: str, version: str) -> Obj | None:
    """/openapi/v3/api/v1 and /openapi/v3/apis/GROUP/VERSION; None where there is none."""
    found = _of(group, version)
    if not found:
        return None
    schemas: dict[str, Obj] = {name: dict(schema) for name, schema in _NAMED.values()}
    todo = [_definition(served) for served in found]
    while todo:
        name = todo.pop()
        if full_name(name) not in schemas:
            schemas[full_name(name)] = _object(definitions()[name], todo)
    for served in found:
        schemas[full_name(_definition(served))]["x-kubernetes-group-version-kind"] = [_gvk(served)]
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.36.0"},
        "paths": {path: item for served in found for path, item in _paths(served)},
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def full_name(name: str) -> str:
    """`core.v1.Pod` -> `io.k8s.api.core.v1.Pod`."""
    package, kind = name.rsplit(".", 1)
    return f"{_PREFIXES.get(package, f'io.k8s.api.{package}')}.{kind}"


def _definition(served: Served) -> str:
    return kind_definitions()[f"{served.group}/{served.version}/{served.kind.kind}"]


def _gvk(served: Served) -> Obj:
    return {"group": served.group, "version": served.version, "kind": served.kind.kind}


def _object(raw: Mapping[str, Any], todo: list[str]) -> Obj:
    out: Obj = {"type": "object", "properties": {name: _place(child, todo) for name, child in raw["f"].items()}}
    if raw.get("q"):
        out["required"] = list(raw["q"])
    return out | ({"x-kubernetes-map-type": raw["m"]} if "m" in raw else {})


def _place(raw: str | Mapping[str, Any], todo: list[str]) -> Obj:
    if isinstance(raw, str):
        return _leaf(raw)
    marks: Obj = {name: raw[short] for short, name in _MARKS.items() if short in raw}
    if "ps" in raw:
        marks["x-kubernetes-patch-strategy"] = ",".join(raw["ps"])
    if "r" in raw:
        todo.append(raw["r"])
        return {"allOf": [{"$ref": f"#/components/schemas/{full_name(raw['r'])}"}], **marks}
    if raw["t"] == "array":
        return {"type": "array", "items": _place(raw["i"], todo), **marks}
    if raw["t"] == "map":
        return {"type": "object", "additionalProperties": _place(raw["i"], todo), **marks}
    if raw["t"] == "object":
        return {**_object(raw, todo), **marks}
    return {**_leaf(raw["t"]), **marks, **raw.get("v", {})}


def _leaf(name: str) -> Obj:
    if name in _NAMED:
        return {"allOf": [{"$ref": f"#/components/schemas/{_NAMED[name][0]}"}]}
    return dict(_LEAVES[name])


def _paths(served: Served) -> Iterator[tuple[str, Obj]]:
    kind = served.kind
    root = f"/apis/{served.group}/{served.version}" if served.group else f"/api/{served.version}"
    scope = "/namespaces/{namespace}" if kind.namespaced else ""
    collection = f"{root}{scope}/{kind.plural}"
    many: Obj = {"get": _operation(served, "list")} if "list" in kind.verbs else {}
    if "create" in kind.verbs:
        many["post"] = _operation(served, "post")
    if "deletecollection" in kind.verbs:
        many["delete"] = _operation(served, "deletecollection")
    yield collection, {**many, "parameters": _in_path(kind.namespaced)}
    one = {_METHODS[v][0]: _operation(served, _METHODS[v][1]) for v in kind.verbs if v in _METHODS and v != "create"}
    if one:
        yield f"{collection}/{{name}}", {**one, "parameters": _in_path(kind.namespaced, name=True)}
    for sub in kind.subresources:
        item = {_METHODS[v][0]: _operation(served, _METHODS[v][1], sub) for v in sub.verbs if v in _METHODS}
        yield f"{collection}/{{name}}/{sub.name}", {**item, "parameters": _in_path(kind.namespaced, name=True)}


def _in_path(namespaced: bool, name: bool = False) -> list[Obj]:
    names = [*(("namespace",) if namespaced else ()), *(("name",) if name else ())]
    return [{"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in names]


def _operation(served: Served, action: str, sub: Subresource | None = None) -> Obj:
    gvk = _gvk(served)
    if sub and sub.kind:
        gvk = {"group": sub.group, "version": sub.version or "v1", "kind": sub.kind}
    plain = not (sub and sub.kind)
    reference = {"$ref": f"#/components/schemas/{full_name(_definition(served))}"} if plain else {"type": "object"}
    body = {"application/json": {"schema": reference}}
    out: Obj = {
        "responses": {"200": {"description": "OK", "content": body}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": gvk,
    }
    if action in _WRITES:
        names = ("dryRun", "fieldManager", "fieldValidation", *(("force",) if action == "patch" else ()))
        out["parameters"] = [
            {"name": n, "in": "query", "schema": {"type": "boolean" if n == "force" else "string"}} for n in names
        ]
        custom = served.node.custom
        kinds = [p for p in _PATCHES if not (custom and "strategic" in p)] if action == "patch" else ["*/*"]
        schema = {"type": "object"} if action == "patch" else reference
        out["requestBody"] = {"content": {kind: {"schema": schema} for kind in kinds}}
    return out
