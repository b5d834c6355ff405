"""Who owns what after an ordinary write (create, update, any patch but apply).

In: the object before and after, decoded and defaulted, before admission and strategy. Out: the entries of the new
managedFields. Who changes a field takes it from everybody else; a field that goes is nobody's.
"""

from typing import Any

from madang.kinds.managed import entries
from madang.kinds.managed.differences import created, differ_root
from madang.kinds.managed.entries import Identity, Managers, Owned
from madang.kinds.managed.sets import Set, common, join, minus, without
from madang.kinds.managed.shapes import root
from madang.kinds.schema import Node
from madang.ports.objects import Obj

_SPEC = ("f:spec",)
_STATUS = ("f:status",)
# What a write to a subresource cannot change is not owned by it (the strategies' GetResetFields).
_STATUS_WRITES: dict[str, tuple[tuple[str, ...], ...]] = {
    "Pod": (_SPEC, ("f:metadata", "f:deletionTimestamp"), ("f:metadata", "f:ownerReferences")),
    "Deployment": (_SPEC, ("f:metadata", "f:labels")),
}


def ignored(obj: Obj, node: Node, subresource: str) -> tuple[tuple[str, ...], ...]:
    """The places that this write leaves alone, whatever the body says."""
    if "status" not in node.fields:
        return ()
    if not subresource:
        return (_STATUS,)
    if subresource == "status":
        if node.custom:
            return (_SPEC, ("f:metadata",))
        return _STATUS_WRITES.get(obj.get("kind", ""), (_SPEC,))
    return ()


def on_create(obj: Obj, node: Node, manager: str, time: str, *, subresource: str = "") -> list[Obj]:
    fields = created(obj, root(node))
    if "f:status" in fields and not subresource:
        del fields["f:status"]
    if not fields:
        return []
    identity = Identity(manager, "Update", obj.get("apiVersion", ""), subresource)
    return entries.write({identity: Owned(fields, time)})


def on_update(old: Obj, new: Obj, node: Node, manager: str, time: str, *, subresource: str = "") -> list[Obj]:
    """`new` may bring managedFields of its own: one entry with nothing in it forgets them all, an empty list or
    none keeps those of `old`."""
    managers = _known(old, new, subresource)
    changed, removed = differ_root(old, new, root(node))
    skip = ignored(new, node, subresource)
    changed, removed = without(changed, skip), without(removed, skip)
    if not changed and not removed:
        return entries.write(managers)
    identity = Identity(manager, "Update", new.get("apiVersion", ""), subresource)
    mine = managers.get(identity, Owned({}))
    kept = taken(managers, changed, removed, identity.api_version, identity if changed else None)
    if changed:
        # Fields that it had, still has and did not touch stay its own.
        kept[identity] = Owned(join(minus(mine.fields, removed), changed), time)
    return entries.write(entries.capped(kept))


def taken(managers: Managers, changed: Set, removed: Set, api_version: str, keep: Identity | None = None) -> Managers:
    """What the managers (but `keep`) still own after somebody changed and removed these fields. Entries of other
    versions of the kind are left alone: their paths mean other places."""
    out: Managers = {}
    for identity, owned in managers.items():
        if identity != keep and identity.api_version == api_version:
            fields = minus(minus(owned.fields, changed), removed)
            if not fields:
                continue
            if fields is not owned.fields:
                owned = Owned(fields, owned.time)
        out[identity] = owned
    return out


def conflicts(managers: Managers, changed: Set, api_version: str, but: Identity) -> dict[Identity, Set]:
    found = {i: common(o.fields, changed) for i, o in managers.items() if i != but and i.api_version == api_version}
    return {i: s for i, s in found.items() if s}


def _known(old: Obj, new: Obj, subresource: str) -> Managers:
    given: Any = (new.get("metadata") or {}).get("managedFields")
    if given and not subresource:
        if given == [{}]:
            return {}
        if given is not old["metadata"].get("managedFields") and (read := entries.read(new)):
            return read
    return entries.read(old)
