"""Good objects of each kind, to be spoilt by the tests, and how causes are told."""

from collections.abc import Iterable
from typing import Any

import orjson

from madang.kinds.causes import Cause
from madang.kinds.decode import decode
from madang.kinds.table import by_kind


def made(body: dict[str, Any]) -> dict[str, Any]:
    """Decoded, defaulted and prepared, as on a create."""
    group, _, version = body["apiVersion"].rpartition("/")
    served = by_kind(group, version, body["kind"])
    assert served is not None
    obj = decode(served, orjson.dumps(body)).obj
    if served.kind.default is not None:
        served.kind.default(obj)
    obj["metadata"].setdefault("uid", "u")
    if served.kind.prepare_create is not None:
        served.kind.prepare_create(obj)
    return obj


def pod(**spec: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "c", "image": "i"}], **spec}
    return made({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "n"}, "spec": spec})


def container(**fields: Any) -> dict[str, Any]:
    return pod(containers=[{"name": "c", "image": "i", **fields}])


def template(**spec: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "c", "image": "i"}], **spec}
    return {"metadata": {"labels": {"app": "a"}}, "spec": spec}


def of(kind: str, api_version: str = "v1", **fields: Any) -> dict[str, Any]:
    meta = {"name": "x", "namespace": "n", **fields.pop("metadata", {})}
    if meta["namespace"] is None:
        del meta["namespace"]
    return made({"apiVersion": api_version, "kind": kind, "metadata": meta, **fields})


def told(causes: Iterable[Cause]) -> list[str]:
    return [str(c) for c in causes]


def start(causes: Iterable[Cause], length: int = 200) -> list[str]:
    return [str(c)[:length] for c in causes]
