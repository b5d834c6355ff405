"""The steps that every write shares: decode, default, own, check.

In: bodies and objects. Out: fresh objects in the stored version, managedFields put in place, or the API's 400
and 422.
"""

from collections.abc import Callable, Mapping
from typing import Any

from madang.api.desk import Desk
from madang.api.resources import Resource
from madang.kinds import managed
from madang.kinds.checks.meta import check_any_update
from madang.kinds.checks.status import invalid
from madang.kinds.decode import NOTHING, decode, shape
from madang.kinds.kind import Kind
from madang.kinds.times import format_seconds
from madang.ports.api import WriteOptions
from madang.ports.objects import Obj


def unchanged(resource: Resource, old: Obj, subresource: str) -> Mapping[str, Any]:
    """What a write leaves to the old object anyway (its strategy takes it from there), and its metadata: most writes
    of the house bring these very parts back, and nobody need look through them again."""
    if resource.conversion is not None:
        return NOTHING
    name = "spec" if subresource == "status" else "status"
    return {part: old[part] for part in ("metadata", name) if old.get(part)}


def decoded(
    resource: Resource, body: bytes | Obj, options: WriteOptions, known: Mapping[str, Any] = NOTHING
) -> tuple[Obj, list[str]]:
    """A fresh object in the stored version, and the warnings of its decoding. `known`: see `unchanged`."""
    if isinstance(body, bytes):
        result = decode(resource.asked, body, options.field_validation)
    else:
        result = shape(resource.asked, body, options.field_validation, known=known)
    obj = resource.asked.to_stored(result.obj)
    # First, so that every stored object's bytes begin alike: lists cut this off.
    head = {"kind": resource.row.kind, "apiVersion": resource.row.api_version}
    return {**head, **{k: v for k, v in obj.items() if k not in head}}, list(result.warnings)


def faults(row: Kind, new: Obj, old: Obj | None, subresource: str = "") -> None:
    """Raises the 422 that names everything that is wrong with the object."""
    check: Callable[..., Any] | None = row.check_status if subresource == "status" else row.check
    found = check_any_update(new, old) if old is not None else []
    found += check(new, old) if check is not None else ()
    if found:
        raise invalid(row.kind, row.group, new["metadata"].get("name", ""), found)


def noted(row: Kind, new: Obj, old: Obj | None) -> list[str]:
    """What the API warns of beside a write that it takes."""
    return list(row.warn(new, old)) if row.warn is not None else []


def own_created(desk: Desk, resource: Resource, obj: Obj, options: WriteOptions) -> None:
    """`obj` as decoded and defaulted: what admission adds later is nobody's."""
    now = format_seconds(desk.clock.now_s())
    _own(obj, managed.on_create(obj, resource.stored.node, options.field_manager or "unknown", now))


def own_updated(desk: Desk, resource: Resource, new: Obj, old: Obj, subresource: str, options: WriteOptions) -> None:
    now, manager = format_seconds(desk.clock.now_s()), options.field_manager or "unknown"
    _own(new, managed.on_update(old, new, resource.stored.node, manager, now, subresource=subresource))


def _own(obj: Obj, entries: list[Obj]) -> None:
    if entries:
        obj["metadata"]["managedFields"] = entries
    else:
        obj["metadata"].pop("managedFields", None)


def applied(
    desk: Desk, resource: Resource, old: Obj | None, wanted: Obj, subresource: str, options: WriteOptions
) -> Obj:
    """What server-side apply makes of an object (None: of nothing) and what the manager wants; a fresh object."""
    now = format_seconds(desk.clock.now_s())
    if resource.conversion is not None:  # fields are owned in the stored version
        wanted, _ = decoded(resource, wanted, WriteOptions(field_validation="Ignore"))
    made = managed.apply(
        old, wanted, resource.stored.node, options.field_manager, now, force=options.force, subresource=subresource
    )
    for name in ("name", "namespace"):
        if wanted["metadata"].get(name):
            made["metadata"][name] = wanted["metadata"][name]
    fresh, _ = decoded(resource.stored, made, WriteOptions(field_validation="Ignore"))
    return fresh


def same(new: Obj, old: Obj) -> bool:
    """Whether a write would change nothing, or nothing but when somebody last owned a field."""
    return managed.equal_but_times(new, old)
