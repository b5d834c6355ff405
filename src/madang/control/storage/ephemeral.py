"""Claims that a pod brings with it: made from the template in its volume, owned by the pod, gone with it.

In: a pod with ephemeral volumes. Out: their claims (kubernetes pkg/controller/volume/ephemeral). The owner reference
lets the garbage collector take them away.
"""

from collections.abc import Iterable, Mapping, Sequence

from madang.control.controller import Ref, Waker, wake_self
from madang.control.owners import controller_ref
from madang.control.pods import PODS, deleting
from madang.kinds import claims as c
from madang.ports.actions import Action, Create, Emit
from madang.ports.chance import Chance
from madang.ports.objects import Kind, Obj
from madang.ports.view import View

NAME = "ephemeral-volume-controller"


def wake_of_claim(obj: Obj, view: View) -> Iterable[Ref]:
    for reference in obj["metadata"].get("ownerReferences") or ():
        if reference.get("kind") == "Pod":
            yield Ref(obj["metadata"]["namespace"], reference["name"])


WATCHES: Mapping[Kind, Waker] = {PODS: wake_self, c.CLAIMS: wake_of_claim}


def decide(ref: Ref, view: View, now: float, chance: Chance) -> Sequence[Action]:
    p = view.get(PODS, ref.namespace, ref.name)
    if p is None or deleting(p):
        return []
    actions: list[Action] = []
    for volume in p["spec"].get("volumes") or ():
        template = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
        if template is None:
            continue
        name = f"{ref.name}-{volume['name']}"
        found = view.get(c.CLAIMS, ref.namespace, name)
        if found is None:
            actions.append(Create(c.CLAIMS, made(p, name, template)))
        elif not owned(found, p):
            text = (
                f'PVC "{ref.namespace}/{name}" was not created for pod "{ref.namespace}/{ref.name}" (pod is not owner)'
            )
            actions.append(Emit(PODS, p, "Warning", "EphemeralVolume", text))
    return actions


def owned(claim: Obj, p: Obj) -> bool:
    return any(r.get("uid") == p["metadata"]["uid"] for r in claim["metadata"].get("ownerReferences") or ())


def made(p: Obj, name: str, template: Obj) -> Obj:
    meta = template.get("metadata") or {}
    kept = {key: dict(meta[key]) for key in ("labels", "annotations") if meta.get(key)}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": name,
            "namespace": p["metadata"]["namespace"],
            "ownerReferences": [controller_ref(p, "v1", "Pod")],
            **kept,
        },
        "spec": template["spec"],
    }
