"""Who owns what: controller references, and claiming by selector (kubernetes ControllerRefManager).

In: an owner, its selector, candidates. Out: what belongs to it, and the patches that adopt or release.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from madang.control.controller import Ref
from madang.control.pods import deleting
from madang.control.selection import labels_of, matches
from madang.kinds.selectors import from_object
from madang.ports.actions import Patch
from madang.ports.objects import Kind, Obj
from madang.ports.view import View


def controller_ref(owner: Obj, api_version: str, kind: str) -> Obj:
    return {
        "apiVersion": api_version,
        "kind": kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def references(obj: Obj) -> list[Obj]:
    return obj["metadata"].get("ownerReferences") or []


def controller_of(obj: Obj) -> Obj | None:
    for reference in obj["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            found: Obj = reference
            return found
    return None


def owned_by(obj: Obj, uid: str) -> bool:
    controller = controller_of(obj)
    return controller is not None and controller["uid"] == uid


def owner_ref(obj: Obj, kind: str) -> Iterable[Ref]:
    """The key of the object's controller, if that is of this kind."""
    controller = controller_of(obj)
    if controller is not None and controller["kind"] == kind:
        yield Ref(obj["metadata"].get("namespace", ""), controller["name"])


def selecting(obj: Obj, kind: Kind, view: View) -> Iterable[Ref]:
    """The keys of all owners of a kind that would take this orphan."""
    namespace = obj["metadata"].get("namespace", "")
    for owner in view.list(kind, namespace):
        if matches(owner["spec"].get("selector"), labels_of(obj)):
            yield Ref(namespace, owner["metadata"]["name"])


class Claim(NamedTuple):
    """What is the owner's (as if the patches were done already), and the patches."""

    mine: list[Obj]
    patches: list[Patch]


def claim(
    owner: Obj, reference: Obj, selector: Mapping[str, Any] | None, kind: Kind, candidates: Iterable[Obj]
) -> Claim:
    """Orphans that match are adopted (not by an owner that is going), own ones that no longer match are released."""
    uid, mine, patches = owner["metadata"]["uid"], [], []
    chosen = from_object(dict(selector) if selector is not None else None)
    for one in candidates:
        controller, fits = controller_of(one), chosen.matches(labels_of(one))
        if controller is not None and controller["uid"] != uid:
            continue
        if controller is not None and fits:
            mine.append(one)
        elif controller is not None and not deleting(owner):
            rest = [r for r in references(one) if r["uid"] != uid]
            patches.append(owners_patch(kind, one, rest))
        elif controller is None and fits and not deleting(owner) and not deleting(one):
            mine.append(one)
            patches.append(owners_patch(kind, one, [*references(one), reference]))
    return Claim(mine, patches)


def owners_patch(kind: Kind, obj: Obj, owners: list[Obj]) -> Patch:
    meta = obj["metadata"]
    return Patch(
        kind,
        meta.get("namespace", ""),
        meta["name"],
        {"metadata": {"ownerReferences": owners or None}},
        uid=meta["uid"],
        revision=meta.get("resourceVersion"),
    )


def candidates(kind: Kind, namespace: str, selector: Mapping[str, Any] | None, uid: str, view: View) -> list[Obj]:
    """Everything that the owner has, and everything that its selector may take, each once."""
    found = {o["metadata"]["name"]: o for o in view.list(kind, namespace, owner=uid)}
    if selector is not None:
        for obj in view.list(kind, namespace, labels=selector.get("matchLabels") or None):
            found.setdefault(obj["metadata"]["name"], obj)
    return [found[name] for name in sorted(found)]
