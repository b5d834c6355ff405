"""What a Deployment needs next: the way through one decision (kubernetes deployment_controller.go syncDeployment).

In: the key and the view. Out: actions. The order of the branches is Kubernetes': pausing, resizing, then the
strategy's own step; each decision takes one step, and the ReplicaSet's change wakes the next.
"""

from collections.abc import Iterable, Mapping, Sequence

from madang.control import pods as pod
from madang.control.controller import Ref, Waker, wake_self
from madang.control.deployment import numbers, revisions, rolling, scaling, status
from madang.control.deployment.revisions import SETS
from madang.control.difference import difference, status_patch
from madang.control.naming import same_template
from madang.control.owners import candidates, claim, controller_of, controller_ref, owned_by, owner_ref, selecting
from madang.ports.actions import Action, Create, Emit, Patch, Wake
from madang.ports.chance import Chance
from madang.ports.objects import Kind, Obj
from madang.ports.view import View

NAME = "deployment-controller"
KIND = "deployments.apps"


def wake_of_set(obj: Obj, view: View) -> Iterable[Ref]:
    return owner_ref(obj, "Deployment") if controller_of(obj) is not None else selecting(obj, KIND, view)


def wake_of_pod(obj: Obj, view: View) -> Iterable[Ref]:
    """Only a Recreate rollout waits for pods themselves; all else is told by ReplicaSets."""
    if not pod.deleting(obj) and not pod.ended(obj):
        return
    for ref in owner_ref(obj, "ReplicaSet"):
        rs = view.get(SETS, ref.namespace, ref.name)
        for owner in owner_ref(rs, "Deployment") if rs is not None else ():
            d = view.get(KIND, owner.namespace, owner.name)
            if d is not None and not numbers.rolling(d):
                yield owner


WATCHES: Mapping[Kind, Waker] = {KIND: wake_self, SETS: wake_of_set, pod.PODS: wake_of_pod}


def decide(ref: Ref, view: View, now: float, chance: Chance) -> Sequence[Action]:
    d = view.get(KIND, ref.namespace, ref.name)
    if d is None:
        return []
    selector = d["spec"].get("selector")
    if not selector:
        return [Emit(KIND, d, "Warning", "SelectingAll", "This deployment is selecting all pods. "
                     "A non-empty selector is required.")]  # fmt: skip
    reference = controller_ref(d, "apps/v1", "Deployment")
    claimed = claim(d, reference, selector, SETS, candidates(SETS, ref.namespace, selector, d["metadata"]["uid"], view))
    if claimed.patches:
        return claimed.patches  # what was claimed must be seen as ours before anything is counted
    sets = claimed.mine
    new, old = revisions.split(d, sets)
    if pod.deleting(d):
        return status_patch(KIND, d, status.counts(d, new, sets, now))
    paused = bool(d["spec"].get("paused"))
    if (marks := pausing(d, paused, now)) is not None:
        # Resumed: the new ReplicaSet is made at once; its story is told by the next decision.
        return marks if paused or new else [*marks, *creation(d, old, view)]
    if synced := synchronised(d, new, old, now):
        return synced
    if paused or scaling.resized(d, sets):
        actions = [*scaling.rescale(d, new, old), *(revisions.forgotten(d, old) if paused else ())]
        return [*actions, *status_patch(KIND, d, status.counts(d, new, sets, now))]
    if not numbers.rolling(d):
        return recreate(d, new, old, view, now)
    if new is None:
        return birth(d, old, view, now)
    return finish(d, new, old, rolling.step(d, new, old), now)


def pausing(d: Obj, paused: bool, now: float) -> list[Action] | None:
    """The condition that a pause or its end must first be told by; None when it stands."""
    current = status.progressing(d)
    reason = current.get("reason") if current else None
    if (
        numbers.deadline_s(d) is None
        or reason == "ProgressDeadlineExceeded"
        or paused == (reason == "DeploymentPaused")
    ):
        return None
    marked = (
        status.marked(d, "Unknown", "DeploymentPaused", "Deployment is paused", now)
        if paused
        else status.marked(d, "Unknown", "DeploymentResumed", "Deployment is resumed", now)
    )
    return list(status_patch(KIND, d, marked))


def synchronised(d: Obj, new: Obj | None, old: Sequence[Obj], now: float) -> list[Action]:
    """Brings the new ReplicaSet's annotations, then the Deployment's revision, in line; nothing when they are."""
    if new is None:
        return []
    patch: Obj = {}
    newest = revisions.newest_revision(old)
    changed = difference(revisions.annotations(new), revisions.wanted_annotations(d, new, newest))
    if added := {k: v for k, v in changed.items() if v is not None}:
        patch["metadata"] = {"annotations": added}
    if new["spec"].get("minReadySeconds", 0) != d["spec"].get("minReadySeconds", 0):
        patch["spec"] = {"minReadySeconds": d["spec"].get("minReadySeconds", 0)}
    if patch:
        meta = new["metadata"]
        return [Patch(SETS, meta["namespace"], meta["name"], patch, uid=meta["uid"])]
    told = d.get("status") or {}
    if numbers.deadline_s(d) is not None and status.progressing(d) is None:
        name = new["metadata"]["name"]
        told = status.marked(d, "True", "FoundNewReplicaSet", f'Found new replica set "{name}"', now)
    number = {revisions.REVISION: str(revisions.revision(new))}
    return list(status_patch(KIND, d, told, annotations=number))


def creation(d: Obj, old: Sequence[Obj], view: View) -> list[Action]:
    made = revisions.new_set(d, old)
    name, size = made["metadata"]["name"], made["spec"]["replicas"]
    told = Emit(KIND, d, "Normal", "ScalingReplicaSet", f"Scaled up replica set {name} from 0 to {size}")
    refused = Emit(KIND, d, "Warning", "ReplicaSetCreateError", f'Failed to create new replica set "{name}": {{error}}')
    return [Create(SETS, made, then=(told,) if size else (), otherwise=(refused,))]


def birth(d: Obj, old: Sequence[Obj], view: View, now: float) -> list[Action]:
    """The first or next revision: its ReplicaSet, and the Deployment's word of it."""
    name, _ = revisions.new_name(d)
    taken = view.get(SETS, d["metadata"]["namespace"], name)
    if taken is not None:
        if owned_by(taken, d["metadata"]["uid"]) and same_template(taken["spec"]["template"], d["spec"]["template"]):
            return []  # ours, being deleted: what follows its end wakes us
        collisions = int((d.get("status") or {}).get("collisionCount", 0)) + 1
        return list(status_patch(KIND, d, {**(d.get("status") or {}), "collisionCount": collisions}))
    told = d.get("status") or {}
    if numbers.deadline_s(d) is not None:
        told = status.marked(d, "True", "NewReplicaSetCreated", f'Created new replica set "{name}"', now)
    number = {revisions.REVISION: str(revisions.newest_revision(old))}
    return [*creation(d, old, view), *status_patch(KIND, d, told, annotations=number)]


def recreate(d: Obj, new: Obj | None, old: Sequence[Obj], view: View, now: float) -> list[Action]:
    """All old pods gone, then all new ones (kubernetes deployment/recreate.go)."""
    down = [action for rs in numbers.active(old) for action in scaling.scaled(d, rs, 0)]
    if down or still_running(old, view):
        return finish(d, new, old, down, now)
    if new is None:
        return birth(d, old, view, now)
    up = scaling.scaled(d, new, numbers.replicas(d)) if numbers.replicas(new) != numbers.replicas(d) else []
    return finish(d, new, old, up, now)


def still_running(old: Sequence[Obj], view: View) -> bool:
    if numbers.counted(old, "replicas"):
        return True
    return any(
        not pod.ended(p)
        for rs in old
        for p in view.list(pod.PODS, rs["metadata"]["namespace"], owner=rs["metadata"]["uid"])
        if owned_by(p, rs["metadata"]["uid"])
    )


def finish(d: Obj, new: Obj | None, old: Sequence[Obj], step: Sequence[Action], now: float) -> list[Action]:
    every = [*old, *([new] if new else [])]
    told = status.rollout(d, new, every, now)
    actions = list(step)
    if not step and new is not None and status.complete(d, d.get("status") or {}):
        actions += revisions.forgotten(d, old)
    actions += status_patch(KIND, d, told)
    wait = status.deadline_in_s(d, told, now)
    return actions if wait is None else [*actions, Wake(wait)]
