"""DELETE: at once, or a mark that waits for finalizers, for a pod's node, for a namespace's content.

In: preconditions, propagation, grace. Out: a Status Success where an ordinary object is gone, else the object as it
went or as it waits (as the API server answers).
"""

import copy

from madang.api import errors
from madang.api.admit import namespaces
from madang.api.desk import Desk, Outcome, durable
from madang.api.resources import Resource
from madang.kinds.times import format_seconds
from madang.ports.api import DeleteOptions, User
from madang.ports.objects import Entry, Key, Obj

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
# Kinds whose deletion is answered with the object itself.
ANSWERED_WITH_OBJECT = frozenset({"pods", "namespaces", "services", "persistentvolumes", "persistentvolumeclaims",
                                  "serviceaccounts", "podtemplates", "resourcequotas"})  # fmt: skip


async def delete(
    desk: Desk, user: User, resource: Resource, namespace: str, name: str, options: DeleteOptions
) -> Outcome:
    entry = desk.newest(resource.row, namespace, name)
    if entry is None:
        raise errors.not_found(resource.row, name)
    if resource.row.id == "namespaces":
        namespaces.refuse_delete(name)
    check_preconditions(resource, entry, options)
    return await remove(desk, resource, entry, options)


async def remove(desk: Desk, resource: Resource, entry: Entry, options: DeleteOptions) -> Outcome:
    """Deletes this very state of an object."""
    row, old = resource.row, entry.obj
    new = _marked(desk, resource, old, options)
    waits = _waits(new)
    if not waits:
        gone = new if row.id in ANSWERED_WITH_OBJECT else dict(old, metadata=dict(old["metadata"]))
        if not options.dry_run:
            await durable(desk.remove(Key(*entry.key), gone, entry.revision))
        return Outcome(obj=gone if row.id in ANSWERED_WITH_OBJECT else success(resource, entry))
    if options.dry_run or new == old:
        return Outcome(obj=new)
    stored = await durable(desk.put(Key(*entry.key), new, entry.revision))
    return Outcome(entry=stored, obj=new)


def success(resource: Resource, entry: Entry) -> Obj:
    row = resource.row
    about = {"name": entry.key.name, "group": row.group, "kind": row.plural, "uid": entry.obj["metadata"]["uid"]}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {k: v for k, v in about.items() if v},
    }


def check_preconditions(resource: Resource, entry: Entry, options: DeleteOptions) -> None:
    name, uid = entry.key.name, entry.obj["metadata"]["uid"]
    if options.uid and options.uid != uid:
        raise errors.precondition_uid(resource.row, name, options.uid, uid)
    if options.revision and options.revision != str(entry.revision):
        raise errors.precondition_revision(resource.row, name, options.revision, str(entry.revision))


def _marked(desk: Desk, resource: Resource, old: Obj, options: DeleteOptions) -> Obj:
    """The object with its deletion written into it; a second deletion can only shorten a pod's grace."""
    new = {**old, "metadata": copy.copy(old["metadata"])}
    meta = new["metadata"]
    _propagate(meta, options)
    grace = _grace(resource, old, options)
    now = desk.clock.now_s()
    first = "deletionTimestamp" not in meta
    if first:
        meta["deletionTimestamp"] = format_seconds(now + grace)
        if resource.row.id != "namespaces":
            meta["deletionGracePeriodSeconds"] = grace
        if "generation" in meta:
            meta["generation"] += 1
    elif grace < meta.get("deletionGracePeriodSeconds", 0):
        meta["deletionGracePeriodSeconds"] = grace
        meta["deletionTimestamp"] = format_seconds(now + grace)
        if "generation" in meta:
            meta["generation"] += 1
    if resource.row.id == "namespaces":
        new["status"] = {**(old.get("status") or {}), "phase": "Terminating"}
    return new


def _grace(resource: Resource, old: Obj, options: DeleteOptions) -> int:
    """Seconds that a pod gets; nothing else has a grace. An unbound or finished pod goes at once."""
    if resource.row.id != "pods":
        return 0
    spec = old.get("spec") or {}
    asked = options.grace_s if options.grace_s is not None else spec.get("terminationGracePeriodSeconds", 30)
    if asked < 0:
        asked = 1
    phase = (old.get("status") or {}).get("phase")
    if not spec.get("nodeName") or phase in ("Failed", "Succeeded"):
        return 0
    return int(asked)


def _propagate(meta: Obj, options: DeleteOptions) -> None:
    had = list(meta.get("finalizers") or ())
    finalizers = list(had)
    if options.propagation is not None:
        finalizers = [f for f in finalizers if f not in (FOREGROUND, ORPHAN)]
        if options.propagation == "Foreground":
            finalizers.append(FOREGROUND)
        elif options.propagation == "Orphan":
            finalizers.append(ORPHAN)
    if finalizers != had:
        if finalizers:
            meta["finalizers"] = finalizers
        else:
            meta.pop("finalizers", None)


def _waits(new: Obj) -> bool:
    meta = new["metadata"]
    if meta.get("finalizers") or (new["kind"] == "Namespace" and (new.get("spec") or {}).get("finalizers")):
        return True
    return bool(meta.get("deletionGracePeriodSeconds"))
