"""Claims: each is bound to a volume that fits, or to one that is made for it, now or once a pod needs it.

In: a claim, the volumes, its class, the pods that name it. Out: the reference in the volume, the name in the claim,
phases, events (kubernetes pkg/controller/volume/persistentvolume). A volume that we make is a folder, and a folder is
made by the node when it is first used, so that making one is nothing but writing the object.
"""

from collections.abc import Iterable, Mapping, Sequence

from madang.control.controller import Ref, Waker, wake_self
from madang.control.pods import PODS, deleting
from madang.control.storage.provision import provisioned
from madang.kinds import claims as c
from madang.kinds.checks.resources import amount
from madang.ports.actions import Action, Emit, Patch
from madang.ports.chance import Chance
from madang.ports.objects import Kind, Obj
from madang.ports.view import View

UNCLAIMED = "no persistent volumes available for this claim and no storage class is set"


def wake_of_volume(obj: Obj, view: View) -> Iterable[Ref]:
    ref = obj["spec"].get("claimRef")
    if ref:
        yield Ref(ref.get("namespace", ""), ref.get("name", ""))
    for claim in view.list(c.CLAIMS):
        name = claim["spec"].get("volumeName")
        if name == obj["metadata"]["name"] or (not name and not ref and c.class_name(claim) == c.class_name(obj)):
            yield Ref(claim["metadata"]["namespace"], claim["metadata"]["name"])


def wake_of_class(obj: Obj, view: View) -> Iterable[Ref]:
    for claim in view.list(c.CLAIMS):
        if c.class_name(claim) == obj["metadata"]["name"] and not c.bound(claim):
            yield Ref(claim["metadata"]["namespace"], claim["metadata"]["name"])


class ClaimBinder:
    """`folders`: where the volumes that we make lie."""

    NAME = "persistentvolume-controller"
    WATCHES: Mapping[Kind, Waker] = {
        c.CLAIMS: wake_self,
        c.VOLUMES: wake_of_volume,
        c.CLASSES: wake_of_class,
    }

    def __init__(self, folders: str) -> None:
        self._folders = folders

    def decide(self, ref: Ref, view: View, now: float, chance: Chance) -> Sequence[Action]:
        claim = view.get(c.CLAIMS, ref.namespace, ref.name)
        if claim is None:
            return []
        if c.BIND_COMPLETED in c.annotations(claim):
            return settled(claim, view)
        if deleting(claim):
            return []
        name = claim["spec"].get("volumeName")
        return named(claim, str(name), view) if name else self._unbound(claim, view, now)

    def _unbound(self, claim: Obj, view: View, now: float) -> Sequence[Action]:
        class_ = view.get(c.CLASSES, "", c.class_name(claim)) if c.class_name(claim) else None
        # The scheduler gives it the volume that its node reaches, or names the node where one is to be made.
        delayed = c.waits(class_)
        volume = c.choose(claim, view.list(c.VOLUMES), delayed=delayed)
        if volume is not None:
            return bind(volume, claim)
        pending = phase(claim, "Pending")
        if delayed and c.SELECTED_NODE not in c.annotations(claim):
            return [*pending, waiting(claim, view)]
        if not c.class_name(claim):
            return [*pending, Emit(c.CLAIMS, claim, "Normal", "FailedBinding", UNCLAIMED)]
        return [*pending, *provisioned(claim, class_, self._folders)]


def waiting(claim: Obj, view: View) -> Emit:
    meta = claim["metadata"]
    users = [p["metadata"]["name"] for p in view.list(PODS, meta["namespace"], node="")
             if any(one.claim == meta["name"] for one in c.claimed(p))]  # fmt: skip
    if users:
        text = f"waiting for pod {', '.join(users)} to be scheduled"
        return Emit(c.CLAIMS, claim, "Normal", "WaitForPodScheduled", text)
    text = "waiting for first consumer to be created before binding"
    return Emit(c.CLAIMS, claim, "Normal", "WaitForFirstConsumer", text)


def named(claim: Obj, name: str, view: View) -> Sequence[Action]:
    """A claim that says which volume it wants."""
    volume = view.get(c.VOLUMES, "", name)
    if volume is None:
        return phase(claim, "Pending")
    if volume["spec"].get("claimRef"):
        if c.is_for(volume, claim):
            return bind(volume, claim)
        text = f'volume "{name}" already bound to a different claim.'
        return [*phase(claim, "Pending"), Emit(c.CLAIMS, claim, "Warning", "FailedBinding", text)]
    if why := c.mismatch(volume, claim):
        text = f'Cannot bind to requested volume "{name}": {why}'
        return [Emit(c.CLAIMS, claim, "Warning", "VolumeMismatch", text), *phase(claim, "Pending")]
    return bind(volume, claim)


def settled(claim: Obj, view: View) -> Sequence[Action]:
    """One that was bound: its volume is still there, is still its own, and may have to grow."""
    name = claim["spec"].get("volumeName")
    volume = view.get(c.VOLUMES, "", name) if name else None
    if volume is None:
        lost = "PersistentVolume" if name else "reference to PersistentVolume"
        return lose(
            claim, "ClaimLost", f"Bound claim has lost {'its ' if name else ''}{lost}. Data on the volume is lost!"
        )
    ref = volume["spec"].get("claimRef")
    if ref and not c.is_for(volume, claim):
        text = "Two claims are bound to the same volume, this one is bound incorrectly"
        return lose(claim, "ClaimMisbound", text)
    return [*bind(volume, claim), *grown(claim, volume, view)]


def lose(claim: Obj, reason: str, text: str) -> Sequence[Action]:
    if (claim.get("status") or {}).get("phase") == "Lost":
        return []
    return [*phase(claim, "Lost"), Emit(c.CLAIMS, claim, "Warning", reason, text)]


def phase(claim: Obj, name: str) -> list[Action]:
    status = claim.get("status") or {}
    if status.get("phase") == name:
        return []
    meta = claim["metadata"]
    gone = {"accessModes": None, "capacity": None} if name == "Lost" else {}
    patch = {"status": {"phase": name, **gone}}
    return [Patch(c.CLAIMS, meta["namespace"], meta["name"], patch, "status", uid=meta["uid"])]


def bind(volume: Obj, claim: Obj) -> list[Action]:
    """The volume's side first: whoever is cut off in between is told by it what was meant."""
    return [*_refer(volume, claim), *_name(volume, claim), *_status(volume, claim)]


def _refer(volume: Obj, claim: Obj) -> list[Action]:
    own, patch = volume["metadata"], c.give(volume, claim)
    if patch is None:
        return []
    return [Patch(c.VOLUMES, "", own["name"], patch, uid=own["uid"], revision=own.get("resourceVersion"))]


def _name(volume: Obj, claim: Obj) -> list[Action]:
    meta, name = claim["metadata"], volume["metadata"]["name"]
    notes = {} if c.BIND_COMPLETED in c.annotations(claim) else {c.BIND_COMPLETED: "yes"}
    patch: Obj = {}
    if claim["spec"].get("volumeName") != name:
        patch["spec"] = {"volumeName": name}
        notes |= {c.BY_CONTROLLER: "yes"}
    if notes:
        patch["metadata"] = {"annotations": notes}
    return [Patch(c.CLAIMS, meta["namespace"], meta["name"], patch, uid=meta["uid"])] if patch else []


def _status(volume: Obj, claim: Obj) -> list[Action]:
    """What a claim got is told when it is bound; later growth is told by `grown`."""
    meta, status, spec = claim["metadata"], claim.get("status") or {}, volume["spec"]
    if status.get("phase") == "Bound":
        return []
    wanted = {"phase": "Bound", "accessModes": spec["accessModes"], "capacity": dict(spec["capacity"])}
    return [Patch(c.CLAIMS, meta["namespace"], meta["name"], {"status": wanted}, "status", uid=meta["uid"])]


def grown(claim: Obj, volume: Obj, view: View) -> list[Action]:
    """A folder holds what the disk holds: to grow is to say so."""
    had = (claim.get("status") or {}).get("capacity") or {}
    asked = (claim["spec"].get("resources") or {}).get("requests") or {}
    class_ = view.get(c.CLASSES, "", c.class_name(claim)) if c.class_name(claim) else None
    if not c.folder_name(volume) or class_ is None or not class_.get("allowVolumeExpansion"):
        return []
    meta, own = claim["metadata"], volume["metadata"]
    actions: list[Action] = []
    if c.size(volume) < c.size(claim):
        capacity = {"spec": {"capacity": {"storage": asked["storage"]}}}
        actions.append(Patch(c.VOLUMES, "", own["name"], capacity, uid=own["uid"]))
    if (claim.get("status") or {}).get("phase") == "Bound" and amount(had.get("storage", "0")).nanos < c.size(claim):
        patch = {"status": {"capacity": {"storage": asked["storage"]}}}
        actions.append(Patch(c.CLAIMS, meta["namespace"], meta["name"], patch, "status", uid=meta["uid"]))
        text = f"Resize volume succeeded from {had.get('storage', '0')} to {asked['storage']}"
        actions.append(Emit(c.CLAIMS, claim, "Normal", "VolumeResizeSuccessful", text))
    return actions
