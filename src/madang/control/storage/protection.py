"""Nothing that is used is taken away: the finalizers of claims that pods use, and of volumes that are bound.

In: a claim or volume that is to be deleted, the pods. Out: the finalizer taken off once nobody uses it, and put on
where somebody took it off too early (kubernetes pkg/controller/volume/pvcprotection, pvprotection).
"""

from collections.abc import Iterable, Mapping, Sequence

from madang.control.controller import Ref, Waker, wake_self
from madang.control.pods import PODS, deleting
from madang.kinds import claims as c
from madang.ports.actions import Action, Patch
from madang.ports.chance import Chance
from madang.ports.objects import Kind, Obj
from madang.ports.view import View


def wake_of_pod(obj: Obj, view: View) -> Iterable[Ref]:
    namespace = obj["metadata"]["namespace"]
    for one in c.claimed(obj):
        claim = view.get(c.CLAIMS, namespace, one.claim)
        if claim is not None and deleting(claim):
            yield Ref(namespace, one.claim)


def used(claim: Obj, view: View) -> bool:
    """By a pod that has a node: one that waits will not be let in any more."""
    meta = claim["metadata"]
    return any(
        p["spec"].get("nodeName") and any(one.claim == meta["name"] for one in c.claimed(p))
        for p in view.list(PODS, meta["namespace"])
    )


def in_use(volume: Obj) -> bool:
    return (volume.get("status") or {}).get("phase") == "Bound"


def finalizers(kind: Kind, obj: Obj, held: bool) -> Sequence[Action]:
    meta, ours = obj["metadata"], c.PROTECTION[kind]
    present: list[str] = meta.get("finalizers") or []
    if deleting(obj):
        wanted = present if held else [name for name in present if name != ours]
    else:
        wanted = present if ours in present else [*present, ours]
    if wanted == present:
        return []
    patch = {"metadata": {"finalizers": wanted or None}}
    return [Patch(kind, meta.get("namespace", ""), meta["name"], patch, uid=meta["uid"],
                  revision=meta.get("resourceVersion"))]  # fmt: skip


class ClaimProtection:
    NAME = "pvc-protection-controller"
    WATCHES: Mapping[Kind, Waker] = {c.CLAIMS: wake_self, PODS: wake_of_pod}

    def decide(self, ref: Ref, view: View, now: float, chance: Chance) -> Sequence[Action]:
        claim = view.get(c.CLAIMS, ref.namespace, ref.name)
        if claim is None:
            return []
        return finalizers(c.CLAIMS, claim, deleting(claim) and used(claim, view))


class VolumeProtection:
    NAME = "pv-protection-controller"
    WATCHES: Mapping[Kind, Waker] = {c.VOLUMES: wake_self}

    def decide(self, ref: Ref, view: View, now: float, chance: Chance) -> Sequence[Action]:
        volume = view.get(c.VOLUMES, "", ref.name)
        return [] if volume is None else finalizers(c.VOLUMES, volume, in_use(volume))
