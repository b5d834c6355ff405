"""Start order: a pod that waits for others carries a scheduling gate until what it waits for has come true.

In: gated pods (annotation `madang.dev/depends-on`: a JSON list of {"service" or "job": name, "condition": "started",
"healthy" or "completed"}), Deployments, Jobs, pods. Out: the gate lifted; while it stands, an annotation and an Event
that name what is missing. Objects alone decide, so the order also holds after a reboot.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import orjson

from madang.control import pods as pod
from madang.control.conditions import find, holds
from madang.control.controller import Ref, Waker
from madang.control.owners import controller_of, owner_ref
from madang.ports.actions import Action, Emit, Patch
from madang.ports.chance import Chance
from madang.ports.objects import Kind, Obj
from madang.ports.settings import DOMAIN
from madang.ports.view import View

NAME = "dependency-controller"
GATE = DEPENDS_ON = f"{DOMAIN}/depends-on"
WAITING_FOR = f"{DOMAIN}/waiting-for"
DEPLOYMENTS, SETS, JOBS = "deployments.apps", "replicasets.apps", "jobs.batch"


class Dependency(NamedTuple):
    name: str
    condition: str

    def __str__(self) -> str:
        return {
            "started": f"{self.name} to be started",
            "healthy": f"{self.name} to be healthy",
            "completed": f"{self.name} to complete",
        }[self.condition]


def gated(p: Obj) -> bool:
    return any(g["name"] == GATE for g in p["spec"].get("schedulingGates") or ())


def dependencies(p: Obj) -> list[Dependency]:
    """Raises ValueError where the annotation cannot be read."""
    rows = orjson.loads((p["metadata"].get("annotations") or {}).get(DEPENDS_ON) or "[]")
    if not isinstance(rows, list):
        raise ValueError("expected a list")
    found = []
    for row in rows:
        name, condition = row.get("service") or row.get("job"), row.get("condition", "started")
        if not name or condition not in ("started", "healthy", "completed"):
            raise ValueError(f"cannot read {orjson.dumps(row).decode()}")
        found.append(Dependency(name, condition))
    return found


def wake_of_pod(obj: Obj, view: View) -> Iterable[Ref]:
    """A gated pod itself; and whoever waits for the Deployment or Job of a pod that has started."""
    if gated(obj):
        yield Ref(obj["metadata"]["namespace"], obj["metadata"]["name"])
    if pod.phase(obj) != "Running":
        return
    controller = controller_of(obj)
    if controller is not None and controller["kind"] == "Job":
        yield from waiting(obj["metadata"]["namespace"], controller["name"], view)
    for ref in owner_ref(obj, "ReplicaSet"):
        rs = view.get(SETS, ref.namespace, ref.name)
        for owner in owner_ref(rs, "Deployment") if rs is not None else ():
            yield from waiting(owner.namespace, owner.name, view)


def wake_of_owner(obj: Obj, view: View) -> Iterable[Ref]:
    return waiting(obj["metadata"]["namespace"], obj["metadata"]["name"], view)


def waiting(namespace: str, name: str, view: View) -> Iterable[Ref]:
    for p in view.list(pod.PODS, namespace, node=""):
        if gated(p) and f'"{name}"' in (p["metadata"].get("annotations") or {}).get(DEPENDS_ON, ""):
            yield Ref(namespace, p["metadata"]["name"])


WATCHES: Mapping[Kind, Waker] = {pod.PODS: wake_of_pod, DEPLOYMENTS: wake_of_owner, JOBS: wake_of_owner}


def decide(ref: Ref, view: View, now: float, chance: Chance) -> Sequence[Action]:
    p = view.get(pod.PODS, ref.namespace, ref.name)
    if p is None or not gated(p) or pod.deleting(p):
        return []
    try:
        wanted = dependencies(p)
    except (ValueError, AttributeError) as fault:
        text = f"annotation {DEPENDS_ON}: {fault}; expected a list of service or job, and condition"
        return said(p, f"invalid: {text}", Emit(pod.PODS, p, "Warning", "InvalidDependencies", text))
    failed = [text for d in wanted if (text := failure(d, ref.namespace, view))]
    if failed:
        text = f"Will not start: {'; '.join(failed)}"
        return said(p, text, Emit(pod.PODS, p, "Warning", "DependencyFailed", text))
    missing = [d for d in wanted if not met(d, ref.namespace, view)]
    if not missing:
        return [opened(p)]
    text = ", ".join(f"{d}{unknown(d, ref.namespace, view)}" for d in missing)
    return said(p, text, Emit(pod.PODS, p, "Normal", "WaitingForDependencies", f"Waiting for {text}"))


def said(p: Obj, text: str, event: Emit) -> list[Action]:
    """Told once: the annotation remembers what was said."""
    if (p["metadata"].get("annotations") or {}).get(WAITING_FOR) == text:
        return []
    meta = p["metadata"]
    note = {"metadata": {"annotations": {WAITING_FOR: text}}}
    return [Patch(pod.PODS, meta["namespace"], meta["name"], note, uid=meta["uid"]), event]


def opened(p: Obj) -> Patch:
    meta = p["metadata"]
    rest = [g for g in p["spec"]["schedulingGates"] if g["name"] != GATE]
    patch: Obj = {"spec": {"schedulingGates": rest or None}}
    if WAITING_FOR in (meta.get("annotations") or {}):
        patch["metadata"] = {"annotations": {WAITING_FOR: None}}
    return Patch(
        pod.PODS, meta["namespace"], meta["name"], patch, uid=meta["uid"], revision=meta.get("resourceVersion")
    )


def met(d: Dependency, namespace: str, view: View) -> bool:
    job, deployment = view.get(JOBS, namespace, d.name), view.get(DEPLOYMENTS, namespace, d.name)
    if job is not None and holds((job.get("status") or {}).get("conditions"), "Complete"):
        return True  # a Job that has ended well was started and was healthy, too
    if d.condition == "completed":
        return False
    status = ((deployment or job or {}).get("status")) or {}
    if d.condition == "healthy":
        return bool(status.get("availableReplicas") or status.get("readyReplicas") or status.get("ready"))
    if status.get("readyReplicas") or status.get("ready"):
        return True
    return any(pod.phase(p) == "Running" for p in own_pods(job, deployment, namespace, view))


def own_pods(job: Obj | None, deployment: Obj | None, namespace: str, view: View) -> Iterable[Obj]:
    if deployment is not None:
        for rs in view.list(SETS, namespace, owner=deployment["metadata"]["uid"]):
            yield from view.list(pod.PODS, namespace, owner=rs["metadata"]["uid"])
    if job is not None:
        yield from view.list(pod.PODS, namespace, owner=job["metadata"]["uid"])


def failure(d: Dependency, namespace: str, view: View) -> str:
    """Why it will never come true; empty while it may."""
    job = view.get(JOBS, namespace, d.name)
    condition = find((job.get("status") or {}).get("conditions"), "Failed") if job else None
    if condition is None or condition["status"] != "True":
        return ""
    return f"job {d.name} has failed ({condition.get('message') or condition.get('reason')})"


def unknown(d: Dependency, namespace: str, view: View) -> str:
    known = view.get(JOBS, namespace, d.name) or view.get(DEPLOYMENTS, namespace, d.name)
    return "" if known else " (there is no Deployment or Job of that name yet)"
