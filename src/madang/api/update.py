"""PUT, and the half of it that a PATCH shares: the newest state in, a checked new state out.

`write` does the work for both; a subresource changes only its own part (`status`, see the kind's strategy).
An update that changes nothing is answered without a write; one that takes the last finalizer from a dying object
removes it.
"""

from madang.api import errors, meta
from madang.api.admit import admit_update
from madang.api.desk import Desk, Outcome, durable
from madang.api.pipeline import decoded, faults, noted, own_updated, same, unchanged
from madang.api.resources import Aim, Resource
from madang.kinds.checks.faults import required
from madang.kinds.checks.status import invalid
from madang.kinds.decode import NOTHING
from madang.kinds.strategies import namespace_finalize
from madang.ports.api import User, WriteOptions
from madang.ports.objects import Entry, Key, Obj

NAMELESS = required("metadata.name", "name must be provided")


async def update(desk: Desk, user: User, aim: Aim, body: bytes | Obj, options: WriteOptions) -> Outcome:
    """Without a name in the aim the object's own counts."""
    resource, namespace, name, subresource = aim
    row = resource.row
    known = None if isinstance(body, bytes) else desk.newest(row, namespace, name)
    parts = unchanged(resource, known.obj, subresource) if known is not None else NOTHING
    obj, warnings = decoded(resource, body, options, parts)
    inside = obj.setdefault("metadata", {}).get("name") or ""
    if not inside:
        if name:
            raise invalid(resource.row.kind, resource.row.group, "", [NAMELESS])
        raise errors.wrong_name("", name)
    if name and inside != name:
        raise errors.wrong_name(inside, name)
    meta.place(row, obj, namespace)
    entry = desk.newest(row, obj["metadata"].get("namespace", ""), inside)
    if entry is None:
        raise errors.not_found(row, inside)
    return await write(desk, user, resource, entry, obj, subresource, options, warnings)


async def write(
    desk: Desk,
    user: User,
    resource: Resource,
    entry: Entry,
    new: Obj,
    subresource: str,
    options: WriteOptions,
    warnings: list[str],
    *,
    owned: bool = False,
) -> Outcome:
    """`owned`: the managedFields of `new` are right already (server-side apply)."""
    row, old = resource.row, entry.obj
    meta.carry(row, new, entry)
    if row.default_rest is not None and new.get("spec") is old.get("spec"):
        row.default_rest(new)
    elif row.default is not None:
        row.default(new)
    if not owned:
        own_updated(desk, resource, new, old, subresource, options)
    strategy(resource, new, old, subresource)
    grants, more = admit_update(desk, user, row, new, old, subresource)
    warnings += more
    try:
        faults(row, new, old, subresource)
        warnings += () if subresource else noted(row, new, old)
        name = entry.key.name
        if options.dry_run:
            return Outcome(obj=new, warnings=tuple(warnings))
        if finished(new):
            gone = dict(new, metadata=dict(new["metadata"]))
            await durable(desk.remove(Key(*entry.key), gone, entry.revision))
            return Outcome(obj=new, warnings=tuple(warnings))
        if same(new, old):
            return Outcome(entry=entry, obj=old, warnings=tuple(warnings))
        entry = await durable(desk.put(Key(row.id, entry.key.namespace, name), new, entry.revision))
    finally:
        grants.release()
    return Outcome(entry=entry, obj=new, warnings=tuple(warnings))


def strategy(resource: Resource, new: Obj, old: Obj, subresource: str) -> None:
    """A write of the object keeps the status, a write of the status keeps the rest: each kind's own rules."""
    row = resource.row
    if subresource == "status" and row.prepare_status is not None:
        row.prepare_status(new, old)
        return
    if subresource == "finalize":
        namespace_finalize(new, old)
        return
    if row.prepare_update is not None:
        row.prepare_update(new, old)


def finished(obj: Obj) -> bool:
    """Whether a dying object has nothing left to wait for."""
    about = obj["metadata"]
    if not about.get("deletionTimestamp") or about.get("finalizers"):
        return False
    if obj["kind"] == "Namespace":
        return not (obj.get("spec") or {}).get("finalizers")
    return not about.get("deletionGracePeriodSeconds")
