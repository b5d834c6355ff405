"""/openapi/v3: enough of it for kubectl to know that the server checks fields itself.

In: the kind table. Out: the index of group versions, and for each one its paths: that a PATCH of these kinds takes
`dryRun`, `fieldManager` and `fieldValidation` (what kubectl looks for before it sends anything). Made once.
"""

from functools import cache

import orjson

from madang.kinds.table import SERVED, Served
from madang.ports.objects import Obj
from madang.wire.version import GIT_VERSION

_PARAMETERS = [
    {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
    for name in ("dryRun", "fieldManager", "fieldValidation", "force")
]


def root(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


@cache
def index() -> bytes:
    roots = dict.fromkeys(root(served.group, served.version) for served in SERVED)
    return orjson.dumps({"paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}"} for path in roots}})


@cache
def document(path: str) -> bytes | None:
    """By `api/v1` or `apis/GROUP/VERSION`."""
    found = [served for served in SERVED if root(served.group, served.version) == path]
    if not found:
        return None
    paths: Obj = {}
    for served in found:
        paths.update(_paths(path, served))
    info = {"title": "Kubernetes", "version": GIT_VERSION}
    schemas = {_schema_name(served): _schema(served) for served in found}
    return orjson.dumps({"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}})


def _paths(path: str, served: Served) -> Obj:
    kind = served.kind
    base = f"/{path}/namespaces/{{namespace}}/{kind.plural}" if kind.namespaced else f"/{path}/{kind.plural}"
    found: Obj = {}
    for verb, method, where in (
        ("list", "get", base),
        ("create", "post", base),
        ("get", "get", f"{base}/{{name}}"),
        ("update", "put", f"{base}/{{name}}"),
        ("patch", "patch", f"{base}/{{name}}"),
        ("delete", "delete", f"{base}/{{name}}"),
    ):
        if verb in kind.verbs:
            found.setdefault(where, {})[method] = _operation(verb, served)
    return found


def _operation(verb: str, served: Served) -> Obj:
    return {
        "x-kubernetes-action": verb,
        "x-kubernetes-group-version-kind": _gvk(served),
        "parameters": _PARAMETERS if verb in ("create", "update", "patch") else [],
        "responses": {"200": {"description": "OK"}},
    }


def _gvk(served: Served) -> Obj:
    return {"group": served.group, "version": served.version, "kind": served.kind.kind}


def _schema_name(served: Served) -> str:
    return f"io.madang.{(served.group or 'core')}.{served.version}.{served.kind.kind}"


def _schema(served: Served) -> Obj:
    return {
        "type": "object",
        "x-kubernetes-group-version-kind": [_gvk(served)],
        "x-kubernetes-preserve-unknown-fields": True,
    }
