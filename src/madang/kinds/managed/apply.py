"""Server-side apply: what a manager wants, merged into what is there; what it wanted no more goes with it.

In: the object as stored (None: there is none), the configuration as it came (parsed, *not* decoded: a `false` or an
empty string counts), the manager. Out: a new object with its managedFields, still to be decoded, defaulted and
checked; the same object, times included, if nothing changed. Conflicts are a 409 unless forced.
"""

from functools import reduce

from madang.kinds.managed import entries
from madang.kinds.managed.conflict import refusal
from madang.kinds.managed.differences import created, differ_root, held_root
from madang.kinds.managed.entries import Identity, Managers, Owned
from madang.kinds.managed.last_applied import allowed, kept_up
from madang.kinds.managed.merging import merge, remove, with_named
from madang.kinds.managed.sets import Set, common, join, minus, without
from madang.kinds.managed.shapes import Shape, root
from madang.kinds.managed.typed import refuse_untyped
from madang.kinds.managed.update import conflicts, ignored, taken
from madang.kinds.schema import Node
from madang.ports.objects import Obj


def apply(
    old: Obj | None, applied: Obj, node: Node, manager: str, time: str, *, force: bool = False, subresource: str = ""
) -> Obj:
    """Raises Conflict, and StatusError where the configuration says what the kind does not have."""
    refuse_untyped(applied, node)
    shape = root(node)
    identity = Identity(manager, "Apply", applied.get("apiVersion", ""), subresource)
    wanted = without(held_root(applied, shape), ignored(applied, node, subresource))
    if old is None:
        return _with(applied, entries.write({identity: Owned(wanted, time)} if wanted else {}))
    stored = entries.read(old)
    managers = stored or _before_first(old, shape, time, node)
    # An applier has one entry, whatever version of the kind it spoke the last time.
    mine = [i for i in managers if (i.manager, i.operation, i.subresource) == (manager, "Apply", subresource)]
    last = managers[mine[0]] if mine else None
    after: Managers = {**{i: o for i, o in managers.items() if i not in mine}, identity: Owned(wanted, time)}
    new = _pruned(merge(old, applied, shape), after, last, shape)
    changed, removed = differ_root(old, new, shape)
    skip = ignored(applied, node, subresource)
    changed, removed = without(changed, skip), without(removed, skip)
    found = {} if force else conflicts(after, changed, identity.api_version, identity)
    if found:
        free = allowed(old, manager, shape)
        found = {i: left for i, s in found.items() if (left := minus(s, free))}
    if found:
        raise refusal(found)
    after = taken(after, changed, removed, identity.api_version, keep=identity)
    if not wanted:
        after.pop(identity, None)
    if not changed and not removed:
        if stored and last is not None and last.fields == wanted:
            return old
        if stored and last is None and not wanted:
            return old
    return kept_up(_with(new, entries.write(after)), applied, manager)


def _with(obj: Obj, managed: list[Obj]) -> Obj:
    meta = {k: v for k, v in (obj.get("metadata") or {}).items() if k != "managedFields"}
    if managed:
        meta["managedFields"] = managed
    return {**obj, "metadata": meta}


def _before_first(old: Obj, shape: Shape, time: str, node: Node) -> Managers:
    """An object that nobody owned is owned by `before-first-apply` from now on."""
    fields = without(created(old, shape), ignored(old, node, ""))
    return {Identity("before-first-apply", "Update", old.get("apiVersion", "")): Owned(fields, time)} if fields else {}


def _pruned(merged: Obj, managers: Managers, last: Owned | None, shape: Shape) -> Obj:
    """Without what this manager applied the last time and nobody applies or owns now."""
    if last is None or not last.fields:
        return merged
    owned: Set = reduce(join, (o.fields for o in managers.values()), {})
    present = with_named(held_root(merged, shape), shape)
    gone = common(minus(present, with_named(owned, shape)), with_named(last.fields, shape))
    if not gone:
        return merged
    kept = remove(merged, gone, shape)
    return kept if isinstance(kept, dict) else {}
