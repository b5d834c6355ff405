"""Pods and what keeps them -> facts: their state in the API's words, what they wait for, whom they ask. Pure.

In: Pods, Deployments, Jobs. Out: `Instance` and `Workload`. `reading` has the table of all kinds.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from madang.kinds.quantity import QuantityError, parse
from madang.ports.objects import Obj
from madang.ports.settings import DOMAIN
from madang.web.facts import Held, Instance, Workload

SERVICE, DEPENDS_ON, WAITING_FOR = f"{DOMAIN}/service", f"{DOMAIN}/depends-on", f"{DOMAIN}/waiting-for"
HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*://(?:[^/@\s]*@)?)?([a-z0-9]([a-z0-9-]*[a-z0-9])?)([.:/].*)?", re.IGNORECASE)
FINE = {None, "", "ContainerCreating", "PodInitializing"}


def instance(pod: Obj) -> Instance:
    meta, spec, status = pod["metadata"], pod.get("spec") or {}, pod.get("status") or {}
    containers = status.get("containerStatuses") or ()
    state, why = state_of(pod)
    homeless = condition(pod, "PodScheduled", "False") if not spec.get("schedulingGates") else None
    return Instance(
        namespace=meta.get("namespace", ""),
        name=meta["name"],
        service=service_of(meta),
        node=spec.get("nodeName", ""),
        address=status.get("podIP", ""),
        phase=status.get("phase", "Pending"),
        ready=condition(pod, "Ready", "True") is not None,
        leaving="deletionTimestamp" in meta,
        restarts=sum(int(c.get("restartCount", 0)) for c in containers),
        state=state,
        why=why,
        waits=waits(pod),
        homeless=str(homeless.get("message") or homeless.get("reason") or "") if homeless else "",
        since=status.get("startTime") or meta.get("creationTimestamp", ""),
        cpu_millis=sum(amount(c, "cpu").millis for c in spec.get("containers") or ()),
        memory_bytes=sum(amount(c, "memory").value for c in spec.get("containers") or ()),
        containers=held(spec, status),
    )


def held(spec: Obj, status: Obj) -> tuple[Held, ...]:
    """Those that run for as long as the pod does: sidecars, then its own."""
    told = {
        c["name"]: c
        for part in ("initContainerStatuses", "containerStatuses")
        for c in status.get(part) or ()
        if "name" in c
    }
    beside = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    return tuple(
        Held(
            c["name"],
            str(c.get("image", "")),
            str(told.get(c["name"], {}).get("imageID", "")),
            "running" in (told.get(c["name"], {}).get("state") or {}),
            amount(c, "cpu", "limits").millis,
            amount(c, "memory", "limits").value,
        )
        for c in (*beside, *(spec.get("containers") or ()))
    )


def service_of(meta: Obj) -> str:
    """The service's label, else the owner's name (a ReplicaSet is named DEPLOYMENT-HASH), else its own."""
    if label := (meta.get("labels") or {}).get(SERVICE):
        return str(label)
    for owner in meta.get("ownerReferences") or ():
        name = str(owner.get("name", ""))
        return name.rpartition("-")[0] if owner.get("kind") == "ReplicaSet" else name
    return str(meta["name"])


def state_of(pod: Obj) -> tuple[str, str]:
    """The word that `kubectl get pods` would show, and what stands behind it."""
    status = pod.get("status") or {}
    if "deletionTimestamp" in pod["metadata"]:
        return "Terminating", ""
    for one in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        now, last = one.get("state") or {}, (one.get("lastState") or {}).get("terminated") or {}
        waiting, ended = now.get("waiting") or {}, now.get("terminated") or {}
        if waiting.get("reason") not in FINE:
            return str(waiting["reason"]), ending(last) if last else str(waiting.get("message", ""))
        if ended.get("exitCode"):
            return str(ended.get("reason") or "Error"), ending(ended)
    return str(status.get("phase", "Pending")), ""


def ending(ended: Obj) -> str:
    said = (ended.get("message") or "").strip().splitlines()
    return f"exit code {ended.get('exitCode', '?')}" + (f": {said[-1]}" if said else "")


def waits(pod: Obj) -> str:
    gates = (pod.get("spec") or {}).get("schedulingGates") or ()
    notes = pod["metadata"].get("annotations") or {}
    said = notes.get(WAITING_FOR) or ", ".join(dependencies(notes)) or ", ".join(str(g.get("name", "")) for g in gates)
    return str(said) if gates else ""


def dependencies(notes: Obj) -> tuple[str, ...]:
    try:
        rows = json.loads(notes.get(DEPENDS_ON, "[]"))
        return tuple(str(row.get("service") or row.get("job") or "") for row in rows)
    except (ValueError, AttributeError, TypeError):
        return ()


def condition(obj: Obj, kind: str, status: str) -> Obj | None:
    found = (obj.get("status") or {}).get("conditions") or ()
    return next((c for c in found if c.get("type") == kind and c.get("status") == status), None)


def amount(container: Obj, what: str, which: str = "requests") -> Any:
    text = ((container.get("resources") or {}).get(which) or {}).get(what, "0")
    return quantity(text)


def quantity(text: object) -> Any:
    try:
        return parse(str(text))
    except QuantityError:
        return parse("0")


def deployment(obj: Obj) -> Workload:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    ready = int(status.get("readyReplicas", 0))
    behind = status.get("observedGeneration", 0) < obj["metadata"].get("generation", 0)
    return Workload(
        "Deployment",
        obj["metadata"].get("namespace", ""),
        obj["metadata"]["name"],
        wanted=int(spec.get("replicas", 1)),
        ready=ready,
        updating=behind or int(status.get("updatedReplicas", 0)) < int(status.get("replicas", 0)),
        gave_up=condition(obj, "Progressing", "False") is not None,
        **template(spec.get("template") or {}),
    )


def job(obj: Obj) -> Workload:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    over = next((w for w in ("Complete", "Failed") if condition(obj, w, "True")), "")
    return Workload(
        "Job",
        obj["metadata"].get("namespace", ""),
        obj["metadata"]["name"],
        wanted=int(spec.get("completions") or 1),
        ready=int(status.get("succeeded", 0)),
        over=over,
        **template(spec.get("template") or {}),
    )


def alone(pod: Obj) -> Workload | None:
    """A pod that nobody keeps is its own workload."""
    meta = pod["metadata"]
    if meta.get("ownerReferences"):
        return None
    over = {"Succeeded": "Complete", "Failed": "Failed"}.get((pod.get("status") or {}).get("phase", ""), "")
    ready = int(condition(pod, "Ready", "True") is not None)
    return Workload("Pod", meta.get("namespace", ""), service_of(meta), ready=ready, over=over, **template(pod))


def template(pod: Obj) -> dict[str, Any]:
    spec = pod.get("spec") or {}
    containers = spec.get("containers") or ()
    volumes = spec.get("volumes") or ()
    return {
        "depends_on": dependencies((pod.get("metadata") or {}).get("annotations") or {}),
        "asks": tuple(sorted({h for c in containers for h in hosts(c)})),
        "images": tuple(str(c.get("image", "")) for c in containers),
        "keeps": any("hostPath" in v or "persistentVolumeClaim" in v for v in volumes),
    }


def hosts(container: Obj) -> Iterator[str]:
    """First parts of all host names in its environment and arguments: `http://catalog:8000` asks `catalog`."""
    values = [v.get("value") for v in container.get("env") or ()]
    values += [*(container.get("command") or ()), *(container.get("args") or ())]
    for value in values:
        for word in str(value or "").split(",")[:16]:
            if matched := HOST.fullmatch(word.strip()):
                yield matched[1].lower()
