"""How far each service is, from the objects alone: the live table of `up`. Pure.

In: Deployments, Jobs, Pods and Events of the namespace, and the time. Out: a `ServiceState` a service, with the reason
in the API's words where something keeps it.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence

from madang.app.application import SERVICE, ServiceState
from madang.app.staying import doubt
from madang.ports.objects import Obj
from madang.ports.settings import DOMAIN

WAITING_FOR, DEPENDS_ON = f"{DOMAIN}/waiting-for", f"{DOMAIN}/depends-on"
IN_VAIN = "Will not start"  # what the dependency controller says where waiting has become pointless
QUIET = {None, "", "ContainerCreating", "PodInitializing"}


def progress(
    services: Sequence[str],
    deployments: Iterable[Obj],
    jobs: Iterable[Obj],
    pods: Iterable[Obj],
    events: Iterable[Obj] = (),
    now: float = math.inf,
) -> list[ServiceState]:
    by_deployment = {o["metadata"]["name"]: o for o in deployments}
    by_job = {o["metadata"]["name"]: o for o in jobs}
    pods = list(pods)
    by_pod = {o["metadata"]["name"]: o for o in pods if not o["metadata"].get("ownerReferences")}
    mine = grouped(pods)
    warned = warnings(events)
    out = []
    for service in services:
        theirs = mine.get(service, [])
        if service in by_job:
            state = of_job(service, by_job[service], theirs, warned)
        elif service in by_deployment:
            state = of_deployment(service, by_deployment[service], theirs, warned, now)
        elif service in by_pod:
            state = of_pod(service, by_pod[service], warned)
        else:
            state = ServiceState(service, "waiting", "to be applied")
        out.append(state)
    return out


def settled(states: Iterable[ServiceState]) -> bool:
    return all(s.state in ("ready", "done") for s in states)


def grouped(pods: Iterable[Obj]) -> Mapping[str, list[Obj]]:
    """By the service's label, else by the name of the owner (a ReplicaSet is named DEPLOYMENT-HASH)."""
    out: dict[str, list[Obj]] = {}
    for pod in pods:
        meta = pod["metadata"]
        if meta.get("deletionTimestamp"):
            continue
        name = (meta.get("labels") or {}).get(SERVICE)
        for owner in meta.get("ownerReferences") or () if name is None else ():
            name = owner["name"].rpartition("-")[0] if owner["kind"] == "ReplicaSet" else owner["name"]
        if name:
            out.setdefault(name, []).append(pod)
    return out


def warnings(events: Iterable[Obj]) -> dict[str, str]:
    """The last warning about each object, by its name."""
    found: dict[str, tuple[str, str]] = {}
    for event in events:
        if event.get("type") != "Warning" or event.get("reason") == "BackOff":  # the state says it already
            continue
        name = (event.get("involvedObject") or {}).get("name", "")
        at = str(event.get("lastTimestamp") or event.get("eventTime") or "")
        if name not in found or found[name][0] <= at:
            found[name] = (at, f"{event.get('reason', '')}: {event.get('message', '')}")
    return {name: text for name, (_, text) in found.items()}


def of_deployment(
    service: str, obj: Obj, pods: Sequence[Obj], warned: Mapping[str, str], now: float = math.inf
) -> ServiceState:
    spec, status = obj["spec"], obj.get("status") or {}
    wanted = spec.get("replicas", 1)
    seen = status.get("observedGeneration", 0) >= obj["metadata"].get("generation", 0)
    ready = min(status.get("updatedReplicas", 0), status.get("readyReplicas", 0)) if seen else 0
    if (
        seen
        and ready >= wanted
        and status.get("replicas", 0) == wanted
        and status.get("availableReplicas", 0) >= wanted
    ):
        if early := doubt(pods, now):
            return ServiceState(service, "starting", f"{ready}/{wanted}: {trouble(pods, warned) or early}")
        return ServiceState(service, "ready", f"{ready}/{wanted}" if wanted != 1 else "")
    # what keeps the new version is the reason, not what had kept the old one
    newest = sorted((p for p in pods if not is_ready(p)), key=age, reverse=True)
    if kept := waiting_for(newest):
        return ServiceState(service, "failed" if kept.startswith(IN_VAIN) else "waiting", kept)
    if why := trouble(newest, warned):
        return ServiceState(service, "failed" if gave_up(obj) else "starting", f"{ready}/{wanted}: {why}")
    if gave_up(obj):
        return ServiceState(service, "failed", f"{ready}/{wanted}: not ready within its progress deadline")
    return ServiceState(service, "starting", f"{ready}/{wanted}")


def of_job(service: str, obj: Obj, pods: Sequence[Obj], warned: Mapping[str, str]) -> ServiceState:
    for condition in (obj.get("status") or {}).get("conditions") or ():
        if condition["status"] == "True" and condition["type"] == "Complete":
            return ServiceState(service, "done")
        if condition["status"] == "True" and condition["type"] == "Failed":
            text = trouble(pods, warned) or condition.get("message") or condition.get("reason", "")
            return ServiceState(service, "failed", text)
    if kept := waiting_for(pods):
        return ServiceState(service, "failed" if kept.startswith(IN_VAIN) else "waiting", kept)
    return ServiceState(service, "starting", trouble(pods, warned) or "runs until it ends")


def of_pod(service: str, pod: Obj, warned: Mapping[str, str]) -> ServiceState:
    """A pod that a manifest brings by itself."""
    phase = (pod.get("status") or {}).get("phase")
    if phase == "Succeeded" or is_ready(pod):
        return ServiceState(service, "done" if phase == "Succeeded" else "ready")
    return ServiceState(service, "failed" if phase == "Failed" else "starting", trouble([pod], warned))


def age(pod: Obj) -> str:
    return str(pod["metadata"].get("creationTimestamp") or "")


def gave_up(obj: Obj) -> bool:
    return any(
        c["type"] == "Progressing" and c["status"] == "False" for c in (obj.get("status") or {}).get("conditions") or ()
    )


def is_ready(pod: Obj) -> bool:
    return any(
        c["type"] == "Ready" and c["status"] == "True" for c in (pod.get("status") or {}).get("conditions") or ()
    )


def waiting_for(pods: Sequence[Obj]) -> str:
    """What a gated pod waits for: what the controller said, else what its annotation lists."""
    for pod in pods:
        if not pod["spec"].get("schedulingGates"):
            return ""
        notes = pod["metadata"].get("annotations") or {}
        if notes.get(WAITING_FOR):
            return str(notes[WAITING_FOR])
        try:
            rows = json.loads(notes.get(DEPENDS_ON, "[]"))
            return ", ".join(row.get("service") or row.get("job") or "?" for row in rows)
        except (ValueError, AttributeError):
            return "its dependencies"
    return ""


def trouble(pods: Sequence[Obj], warned: Mapping[str, str]) -> str:
    """The first thing that keeps a pod from being ready."""
    for pod in pods:
        status = pod.get("status") or {}
        for one in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
            if text := container_trouble(one):
                reason, _, way_out = warned.get(pod["metadata"]["name"], "").partition(": ")
                return f"{text}; {way_out}" if reason in ("AddressInUse", "PortNotAllowed") else text
        for condition in status.get("conditions") or ():
            if condition["type"] == "PodScheduled" and condition["status"] == "False":
                return str(condition.get("message") or condition.get("reason") or "")
        if text := warned.get(pod["metadata"]["name"], ""):
            return text
    return ""


def container_trouble(one: Obj) -> str:
    state, last = one.get("state") or {}, (one.get("lastState") or {}).get("terminated") or {}
    waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
    ended = ended or last
    if waiting.get("reason") not in QUIET:
        if waiting["reason"] == "CrashLoopBackOff" and "exitCode" in ended:
            pause = str(waiting.get("message", "")).partition(" restarting")[0]
            return f"CrashLoopBackOff: {pause}; it {ending(ended)}"
        return f"{waiting['reason']}: {waiting.get('message', '')}".rstrip(": ")
    if ended.get("exitCode"):
        return ending(ended)
    return ""


def ending(ended: Obj) -> str:
    """How a run ended, with the last line of what it said about it."""
    text = (ended.get("message") or "").strip().splitlines()
    return f"ended with exit code {ended['exitCode']}" + (f": {text[-1]}" if text else "")
