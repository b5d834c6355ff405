"""POST: a new object. Decode, default, own, admit, prepare, check, store: in the API server's order.

Nothing is awaited between the checks and the acceptance by the store, so that what was checked still holds.
"""

import asyncio

from madang.api import errors, meta
from madang.api.accept import accept_new
from madang.api.admit import admit_create
from madang.api.desk import Desk, Outcome, durable
from madang.api.furnish import furnish
from madang.api.pipeline import decoded, faults, noted, own_created
from madang.api.resources import Resource
from madang.ports.api import User, WriteOptions
from madang.ports.objects import Obj


async def create(
    desk: Desk, user: User, resource: Resource, namespace: str, body: bytes | Obj, options: WriteOptions
) -> Outcome:
    obj, warnings = decoded(resource, body, options)
    return await make(desk, user, resource, namespace, obj, options, warnings)


async def make(
    desk: Desk,
    user: User,
    resource: Resource,
    namespace: str,
    obj: Obj,
    options: WriteOptions,
    warnings: list[str],
    *,
    owned: bool = False,
) -> Outcome:
    """From a decoded object. `owned`: its managedFields are right already (server-side apply)."""
    row = resource.row
    meta.place(row, obj, namespace)
    if row.default is not None:
        row.default(obj)
    generated = meta.generate(desk, obj)
    if not owned:
        own_created(desk, resource, obj, options)
    grants, more = admit_create(desk, user, row, obj, dry_run=options.dry_run)
    try:
        meta.fresh(desk, obj)
        if row.prepare_create is not None:
            row.prepare_create(obj)
        faults(row, obj, None)
        made = Outcome(obj=obj, created=True, warnings=(*warnings, *more, *noted(row, obj, None)))
        if options.dry_run:
            _refuse_taken(desk, resource, obj)
            return made
        waiting = accept_new(desk, resource, obj, generated=generated)
        if row.id == "namespaces":
            own = furnish(desk, obj["metadata"]["name"])
            entry, *_ = await asyncio.gather(durable(waiting), *map(durable, own))
        else:
            entry = await durable(waiting)
    finally:
        grants.release()
    return Outcome(entry, obj, True, made.warnings)


def _refuse_taken(desk: Desk, resource: Resource, obj: Obj) -> None:
    """A dry run says what the real one would; its answer has no revision."""
    name = obj["metadata"].get("name", "")
    found = desk.newest(resource.row, obj["metadata"].get("namespace", ""), name)
    if found is not None:
        raise errors.exists(resource.row, name, bool(found.obj["metadata"].get("deletionTimestamp")))
