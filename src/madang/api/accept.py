"""The last step of a creation: the store takes the object, under a free name.

In: a finished object. Out: an awaitable that is done once it is on disk; a taken name is the API's 409, a generated
one is tried again with another tail.
"""

from collections.abc import Awaitable

from madang.api import errors, meta
from madang.api.desk import Desk
from madang.api.pipeline import decoded, own_created
from madang.api.resources import Resource
from madang.ports.api import WriteOptions
from madang.ports.objects import Entry, Key, Obj
from madang.store.model import StaleRevision

ATTEMPTS = 8  # of a generated name


def accept_new(desk: Desk, resource: Resource, obj: Obj, *, generated: bool = False) -> Awaitable[Entry]:
    row = resource.row
    for attempt in range(ATTEMPTS):
        name = obj["metadata"]["name"]
        try:
            return desk.put(Key(row.id, obj["metadata"].get("namespace", ""), name), obj, expect=0)
        except StaleRevision as stale:
            if not generated or attempt == ATTEMPTS - 1:
                dying = bool(stale.newest and stale.newest.obj["metadata"].get("deletionTimestamp"))
                raise errors.exists(row, name, dying) from stale
            obj["metadata"]["name"] = ""
            meta.generate(desk, obj)
    raise AssertionError("unreachable")


def accept_own(desk: Desk, resource: Resource, namespace: str, obj: Obj, manager: str) -> Awaitable[Entry]:
    """The house's own, known good: accepted by the store when this returns."""
    options = WriteOptions(field_manager=manager)
    made, _ = decoded(resource, obj, options)
    meta.place(resource.row, made, namespace)
    if resource.row.default is not None:
        resource.row.default(made)
    own_created(desk, resource, made, options)
    meta.fresh(desk, made)
    if resource.row.prepare_create is not None:
        resource.row.prepare_create(made)
    return accept_new(desk, resource, made)
