"""What must be written so that one object becomes another: a JSON merge patch (RFC 7386), empty when nothing.

In: the object as it is and as it should be. Out: the patch, or the action that carries it.
"""

from collections.abc import Mapping
from typing import Any

from madang.ports.actions import Patch
from madang.ports.objects import Kind, Obj


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> Obj:
    patch: Obj = {key: None for key in old if key not in new}
    for key, value in new.items():
        if key not in old:
            patch[key] = value
        elif isinstance(value, dict) and isinstance(old[key], dict):
            if inner := difference(old[key], value):
                patch[key] = inner
        elif old[key] != value:
            patch[key] = value
    return patch


def status_patch(kind: Kind, obj: Obj, status: Obj, *, annotations: Mapping[str, str] | None = None) -> list[Patch]:
    """None or one action that makes `status` the object's (and adds annotations, which a status write may)."""
    patch: Obj = {}
    if changed := difference(obj.get("status") or {}, status):
        patch["status"] = changed
    missing = difference(obj["metadata"].get("annotations") or {}, annotations or {}) if annotations else {}
    if added := {key: value for key, value in missing.items() if value is not None}:
        patch["metadata"] = {"annotations": added}
    if not patch:
        return []
    meta = obj["metadata"]
    return [Patch(kind, meta.get("namespace", ""), meta["name"], patch, subresource="status", uid=meta["uid"])]
