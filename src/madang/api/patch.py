"""PATCH: merge, JSON, strategic merge and server-side apply, on the object or a subresource.

In: the patch as bytes or decoded. Out: the same as an update. A patch that names no revision never conflicts:
nothing is awaited between reading the newest state and the acceptance of the new one.
"""

import copy
from typing import Any

import orjson

from madang.api import create as creating
from madang.api import errors
from madang.api.desk import Desk, Outcome
from madang.api.pipeline import applied, decoded, unchanged
from madang.api.resources import Aim, Resource
from madang.api.update import write
from madang.api.yaml_body import read as read_yaml
from madang.kinds.json_faults import parse_fault
from madang.kinds.patches import apply_json, apply_merge, apply_strategic
from madang.ports.api import PatchType, User, WriteOptions
from madang.ports.errors import BadRequest
from madang.ports.objects import Obj


async def patch(desk: Desk, user: User, aim: Aim, body: object, style: PatchType, options: WriteOptions) -> Outcome:
    if style == "apply":
        return await apply(desk, user, aim, body, options)
    resource, namespace, name, subresource = aim
    entry = desk.newest(resource.row, namespace, name)
    if entry is None:
        raise errors.not_found(resource.row, name)
    changed = patched(resource, entry.obj, body, style)
    obj, warnings = decoded(resource, changed, options, unchanged(resource, entry.obj, subresource))
    inside = obj.setdefault("metadata", {}).get("name")
    if inside != name:
        raise errors.wrong_name(str(inside or ""), name)
    if resource.row.namespaced and obj["metadata"].get("namespace") != namespace:
        raise errors.wrong_namespace()
    return await write(desk, user, resource, entry, obj, subresource, options, warnings)


def patched(resource: Resource, old: Obj, body: object, style: PatchType) -> Obj:
    """A new object; `old` stays as it is. Faults are the API's 400 and 422."""
    change = parsed(body)
    if style == "json":
        return apply_json(old, change)
    if style == "strategic":
        return apply_strategic(old, change, resource.node)
    return apply_merge(old, change)


def parsed(body: object) -> Any:
    if not isinstance(body, bytes | bytearray):
        return body
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as fault:
        raise BadRequest(f"error decoding patch: {parse_fault(bytes(body))}") from fault


async def apply(desk: Desk, user: User, aim: Aim, body: object, options: WriteOptions) -> Outcome:
    """Server-side apply; makes the object where there is none."""
    resource, namespace, name, subresource = aim
    if not options.field_manager:
        message = "Required value: is required for apply patch"
        raise errors.option("PatchOptions", "fieldManager", "FieldValueRequired", message)
    wanted = _apply_body(body, name)
    _, warnings = decoded(resource, wanted, options)  # its faults; what is applied is what the manager wrote
    meta = wanted["metadata"] = dict(wanted.get("metadata") or {})
    inside = meta.get("namespace")
    if resource.row.namespaced and inside and inside != namespace:
        raise errors.wrong_namespace()
    if resource.row.namespaced:
        meta["namespace"] = namespace
    meta["name"] = name
    entry = desk.newest(resource.row, namespace, name)
    if entry is None:
        if subresource:
            raise errors.not_found(resource.row, name)
        if meta.get("uid"):
            raise errors.conflict(resource.row, name, "uid mismatch: the provided object specified uid "
                                  f"{meta['uid']}, and no existing object was found")  # fmt: skip
        made = applied(desk, resource, None, wanted, "", options)
        return await creating.make(desk, user, resource, namespace, made, options, warnings, owned=True)
    if meta.get("resourceVersion") and meta["resourceVersion"] != str(entry.revision):
        raise errors.modified(resource.row, name)
    new = applied(desk, resource, entry.obj, wanted, subresource, options)
    return await write(desk, user, resource, entry, new, subresource, options, warnings, owned=True)


def _apply_body(body: object, name: str) -> Obj:
    wanted = read_yaml(bytes(body)) if isinstance(body, bytes | bytearray) else copy.deepcopy(body)
    if not isinstance(wanted, dict):
        raise BadRequest("invalid object type: /, Kind=")
    version, kind = wanted.get("apiVersion") or "", wanted.get("kind") or ""
    if not version or not kind:
        raise BadRequest(f"invalid object type: {'' if '/' in version else '/'}{version}, Kind={kind}")
    about = wanted.get("metadata") or {}
    if about.get("managedFields") is not None:
        raise BadRequest("metadata.managedFields must be nil")
    if about.get("name") and about["name"] != name:
        raise errors.wrong_name(about["name"], name)
    return wanted
