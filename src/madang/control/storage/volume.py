"""Volumes: free, bound, released; and what becomes of one whose claim is gone, by its reclaim policy.

In: a volume and the claim that it names. Out: its phase, its deletion, events (kubernetes
pkg/controller/volume/persistentvolume). The folder of one that we made goes by the node's hand
(`node/volumes/reclaim.py`), which a finalizer waits for; nobody else's folder is ever taken away.
"""

from collections.abc import Iterable, Mapping, Sequence

from madang.control.controller import Ref, Waker, wake_self
from madang.control.instant import stamp
from madang.control.pods import deleting
from madang.kinds import claims as c
from madang.ports.actions import Action, Delete, Emit, Patch
from madang.ports.chance import Chance
from madang.ports.objects import Kind, Obj
from madang.ports.view import View

NAME = "persistentvolume-controller"


def wake_of_claim(obj: Obj, view: View) -> Iterable[Ref]:
    if name := obj["spec"].get("volumeName"):
        yield Ref("", name)
    meta = obj["metadata"]
    for volume in view.list(c.VOLUMES):
        ref = volume["spec"].get("claimRef") or {}
        if (ref.get("namespace"), ref.get("name")) == (meta["namespace"], meta["name"]):
            yield Ref("", volume["metadata"]["name"])


WATCHES: Mapping[Kind, Waker] = {c.VOLUMES: wake_self, c.CLAIMS: wake_of_claim}


def decide(ref: Ref, view: View, now: float, chance: Chance) -> Sequence[Action]:
    volume = view.get(c.VOLUMES, "", ref.name)
    if volume is None:
        return []
    claimed = volume["spec"].get("claimRef")
    if not claimed or not claimed.get("uid"):
        return phase(volume, "Available", now)
    claim = view.get(c.CLAIMS, claimed["namespace"], claimed["name"])
    if claim is None or claim["metadata"]["uid"] != claimed["uid"]:
        return freed(volume, now)
    name = claim["spec"].get("volumeName")
    if not name:
        return phase(volume, "Bound", now)  # the claim's own turn to name it
    if name == volume["metadata"]["name"]:
        return phase(volume, "Bound", now)
    if c.annotations(volume).get(c.PROVISIONED_BY) and policy(volume) == "Delete":
        return freed(volume, now)  # made for a claim that took another
    return unbound(volume)


def unbound(volume: Obj) -> Sequence[Action]:
    """The claim has another volume: this one is free again, or waits for whom its maker named."""
    meta = volume["metadata"]
    ours = c.BY_CONTROLLER in c.annotations(volume)
    patch: Obj = {"spec": {"claimRef": None if ours else {"uid": None, "resourceVersion": None}}}
    if ours:
        patch["metadata"] = {"annotations": {c.BY_CONTROLLER: None}}
    return [Patch(c.VOLUMES, "", meta["name"], patch, uid=meta["uid"], revision=meta.get("resourceVersion"))]


def policy(volume: Obj) -> str:
    return str(volume["spec"].get("persistentVolumeReclaimPolicy") or "Retain")


def phase(volume: Obj, name: str, now: float, message: str = "") -> list[Action]:
    status, meta = volume.get("status") or {}, volume["metadata"]
    if status.get("phase") == name and (status.get("message") or "") == message:
        return []
    wanted: Obj = {"phase": name, "message": message or None}
    if status.get("phase") != name:
        wanted["lastPhaseTransitionTime"] = stamp(now)
    return [Patch(c.VOLUMES, "", meta["name"], {"status": wanted}, "status", uid=meta["uid"])]


def freed(volume: Obj, now: float) -> Sequence[Action]:
    """Its claim is gone."""
    meta = volume["metadata"]
    failed = (volume.get("status") or {}).get("phase") == "Failed"
    match policy(volume):
        case "Delete" if c.folder_name(volume):
            gone = [] if deleting(volume) else [Delete(c.VOLUMES, "", meta["name"], uid=meta["uid"])]
            return [*phase(volume, "Released", now), *gone]
        case "Delete" if not c.annotations(volume).get(c.PROVISIONED_BY):
            text = (
                f'error getting deleter volume plugin for volume "{meta["name"]}": no deletable volume plugin matched'
            )
            return [] if failed else fail(volume, "VolumeFailedDelete", text, now)
        case "Recycle":
            text = "No recycler plugin found for the volume!"
            return [] if failed else fail(volume, "VolumeFailedRecycle", text, now)
    return phase(volume, "Released", now)  # kept, or another provisioner's to delete


def fail(volume: Obj, reason: str, text: str, now: float) -> list[Action]:
    return [*phase(volume, "Failed", now, text), Emit(c.VOLUMES, volume, "Warning", reason, text)]
