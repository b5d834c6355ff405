"""The garbage collector: what is owned goes with its owner; finalizers `foregroundDeletion` and `orphan` are kept.

In: any object, by `kind/name`. Out: deletions of what no owner holds any more, owner references taken off, the two
finalizers lifted when their time has come (kubernetes pkg/controller/garbagecollector).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from madang.control.controller import Ref, Waker
from madang.control.owners import owners_patch, references
from madang.control.pods import deleting
from madang.kinds.table import ALL, by_kind
from madang.ports.actions import Action, Delete, Patch, Propagation, Wake
from madang.ports.chance import Chance
from madang.ports.objects import Kind, Obj
from madang.ports.view import View

NAME = "generic-garbage-collector"
FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
# Events own nothing and are owned by nothing; they'd only cost.
WATCHED: tuple[Kind, ...] = tuple(kind.id for kind in ALL if "watch" in kind.verbs and kind.id != "events")


def bearing(obj: Obj) -> object:
    """Pods change often, and who owns them hardly ever."""
    meta = obj["metadata"]
    return meta.get("ownerReferences"), meta.get("finalizers"), meta.get("deletionTimestamp")


def ref_of(kind: Kind, obj: Obj) -> Ref:
    return Ref(obj["metadata"].get("namespace", ""), f"{kind}/{obj['metadata']['name']}")


def finalizers(obj: Obj) -> Sequence[str]:
    return obj["metadata"].get("finalizers") or ()


def wakes(kind: Kind) -> Waker:
    """The object itself where it is owned or waits; its dependents where it is gone or going; its owners that wait."""

    def waker(obj: Obj, view: View) -> Iterable[Ref]:
        meta = obj["metadata"]
        present = view.get(kind, meta.get("namespace", ""), meta["name"])
        gone = present is None or present["metadata"]["uid"] != meta["uid"]
        waits = deleting(obj) and (FOREGROUND in finalizers(obj) or ORPHAN in finalizers(obj))
        owners = references(obj)
        if not gone and (owners or waits):
            yield ref_of(kind, obj)
        if gone or waits:
            yield from (ref_of(k, d) for k, d in dependents(obj, view))
        for reference in owners if gone or deleting(obj) else ():
            found = owner(reference, meta.get("namespace", ""), view)
            if found is not None and deleting(found[1]):
                yield ref_of(*found)

    return waker


WATCHES: Mapping[Kind, Waker] = {kind: wakes(kind) for kind in WATCHED}


def dependents(obj: Obj, view: View) -> list[tuple[Kind, Obj]]:
    namespace, uid = obj["metadata"].get("namespace"), obj["metadata"]["uid"]
    return [(kind, one) for kind in WATCHED for one in view.list(kind, namespace or None, owner=uid)]


def owner(reference: Obj, namespace: str, view: View) -> tuple[Kind, Obj] | None:
    """The owner that a reference names, if it is still that one."""
    served = served_of(reference)
    if served is None:
        return None
    kind, namespaced = served
    found = view.get(kind, namespace if namespaced else "", reference["name"])
    return (kind, found) if found is not None and found["metadata"]["uid"] == reference["uid"] else None


def served_of(reference: Obj) -> tuple[Kind, bool] | None:
    group, _, version = str(reference.get("apiVersion", "")).rpartition("/")
    served = by_kind(group, version, str(reference.get("kind", "")))
    return None if served is None else (served.kind.id, served.kind.namespaced)


def decide(ref: Ref, view: View, now: float, chance: Chance) -> Sequence[Action]:
    kind, _, name = ref.name.partition("/")
    obj = view.get(kind, ref.namespace, name)
    if obj is None:
        return []
    if deleting(obj):
        return departing(kind, obj, view)
    return kept(kind, obj, view)


def departing(kind: Kind, obj: Obj, view: View) -> list[Action]:
    """An object that waits for its dependents (foreground), or lets go of them first (orphan)."""
    found = dependents(obj, view)
    uid = obj["metadata"]["uid"]
    if ORPHAN in finalizers(obj):
        if found:
            orphaned = (owners_patch(k, d, [r for r in references(d) if r["uid"] != uid]) for k, d in found)
            return [*orphaned, Wake(0.02)]  # what is let go no longer leads here
        return [lifted(kind, obj, ORPHAN)]
    if FOREGROUND in finalizers(obj) and not any(blocks(d, uid) for _, d in found):
        return [lifted(kind, obj, FOREGROUND)]
    return []


def blocks(dependent: Obj, uid: str) -> bool:
    return any(r["uid"] == uid and r.get("blockOwnerDeletion") for r in references(dependent))


def lifted(kind: Kind, obj: Obj, finalizer: str) -> Patch:
    meta = obj["metadata"]
    rest = [f for f in finalizers(obj) if f != finalizer]
    return Patch(
        kind, meta.get("namespace", ""), meta["name"], {"metadata": {"finalizers": rest or None}},
        uid=meta["uid"], revision=meta.get("resourceVersion"),
    )  # fmt: skip


def kept(kind: Kind, obj: Obj, view: View) -> list[Action]:
    """Whether any owner still holds it. An owner of a kind that isn't known here counts as there."""
    owners = references(obj)
    if not owners:
        return []
    namespace = obj["metadata"].get("namespace", "")
    sorted_out = [(r, standing(r, namespace, view)) for r in owners]
    solid = [r for r, how in sorted_out if how == "solid"]
    if solid:
        return [owners_patch(kind, obj, solid)] if len(solid) < len(owners) else []
    waited_for = any(how == "waiting" for _, how in sorted_out) and bool(dependents(obj, view))
    return [deletion(kind, obj, "Foreground" if waited_for else inherited(obj))]


def standing(reference: Obj, namespace: str, view: View) -> str:
    """solid, waiting (for its dependents to go), or absent."""
    if served_of(reference) is None:
        return "solid"
    found = owner(reference, namespace, view)
    if found is None:
        return "absent"
    return "waiting" if deleting(found[1]) and FOREGROUND in finalizers(found[1]) else "solid"


# What an object's own finalizers say of its dependents, first match wins.
POLICIES: Sequence[tuple[Callable[[Obj], bool], Propagation]] = (
    (lambda obj: ORPHAN in finalizers(obj), "Orphan"),
    (lambda obj: FOREGROUND in finalizers(obj), "Foreground"),
    (lambda obj: True, "Background"),
)


def inherited(obj: Obj) -> Propagation:
    return next(policy for applies, policy in POLICIES if applies(obj))


def deletion(kind: Kind, obj: Obj, policy: Propagation) -> Delete:
    meta = obj["metadata"]
    return Delete(kind, meta.get("namespace", ""), meta["name"], uid=meta["uid"], propagation=policy)
