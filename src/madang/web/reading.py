"""Objects -> facts: one function a kind, in a table. Pure.

In: objects of the API, whoever fetched them. Out: facts, or None where the dashboard has nothing to say of it. What a
program or a user wrote comes through as it is; whoever shows it escapes it.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from madang.kinds.quantity import QuantityError, parse
from madang.ports.objects import Kind, Obj
from madang.ports.settings import DOMAIN
from madang.web.facts import (
    Ability,
    Address,
    Front,
    Ground,
    Happening,
    Instance,
    Machine,
    Route,
    Scaler,
    Snapshot,
    Workload,
)

SERVICE, DEPENDS_ON, WAITING_FOR = f"{DOMAIN}/service", f"{DOMAIN}/depends-on", f"{DOMAIN}/waiting-for"
SLICES, SERVICE_NAME = "endpointslices.discovery.k8s.io", "kubernetes.io/service-name"
HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*://(?:[^/@\s]*@)?)?([a-z0-9]([a-z0-9-]*[a-z0-9])?)([.:/].*)?", re.IGNORECASE)
FINE = {None, "", "ContainerCreating", "PodInitializing"}
Fact = Any
Reader = Callable[[Obj], Fact]


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


def amount(container: Obj, what: str) -> Any:
    text = ((container.get("resources") or {}).get("requests") or {}).get(what, "0")
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


def address(service: Obj) -> Address:
    meta, spec = service["metadata"], service.get("spec") or {}
    own = spec.get("clusterIP") or ""
    ports = tuple(int(p["port"]) for p in spec.get("ports") or ())
    wanted = spec.get("selector") or {}
    name = (meta.get("labels") or {}).get(SERVICE) or wanted.get(SERVICE) or wanted.get("app") or meta["name"]
    open_ = [
        f"{point.get('ip') or point.get('hostname')}:{port['port']}"
        for point in ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
        for port in point.get("ports") or [{"port": p} for p in ports]
        if not port.get("error")
    ]
    inside = own if own not in ("", "None") else ""
    return Address(meta.get("namespace", ""), meta["name"], str(name), inside, ports, tuple(open_))


def route(obj: Obj) -> Route:
    meta, spec = obj["metadata"], obj.get("spec") or {}
    rules = spec.get("rules") or ()
    matches: list[Obj] = [m for r in rules for m in r.get("matches") or [{"path": None}]]
    paths = [str((m.get("path") or {}).get("value", "/")) for m in matches]
    leads = [b.get("name", "") for r in rules for b in r.get("backendRefs") or ()]
    parents = (obj.get("status") or {}).get("parents") or ()
    bad = [c for p in parents for c in p.get("conditions") or () if c.get("status") == "False"]
    return Route(
        meta.get("namespace", ""),
        meta["name"],
        tuple(spec.get("hostnames") or ()),
        tuple(dict.fromkeys(paths)),
        tuple(dict.fromkeys(leads)),
        str(bad[0].get("message") or bad[0].get("reason") or "") if bad else "",
    )


def front(obj: Obj) -> Front:
    meta = obj["metadata"]
    serves = condition(obj, "Programmed", "True") is not None
    no = condition(obj, "Programmed", "False")
    listeners = (obj.get("spec") or {}).get("listeners") or ()
    points: list[Obj] = (obj.get("status") or {}).get("addresses") or []
    first = points[0].get("value", "") if points else ""
    at = f"http://{first}:{listeners[0]['port']}" if first and listeners else ""
    return Front(meta.get("namespace", ""), meta["name"], serves, at, str((no or {}).get("message", "")))


def ground(node: Obj) -> Ground:
    free = (node.get("status") or {}).get("allocatable") or {}
    low = [k for k in ("MemoryPressure", "DiskPressure", "PIDPressure") if condition(node, k, "True")]
    return Ground(
        node["metadata"]["name"],
        condition(node, "Ready", "True") is not None,
        bool((node.get("spec") or {}).get("unschedulable")),
        ", ".join(low),
        quantity(free.get("cpu", "0")).millis,
        quantity(free.get("memory", "0")).value,
    )


def scaler(obj: Obj) -> Scaler:
    meta, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    goal, seen = of_cpu(spec.get("metrics")), of_cpu(status.get("currentMetrics"))
    return Scaler(
        meta.get("namespace", ""),
        meta["name"],
        (spec.get("scaleTargetRef") or {}).get("name", ""),
        int(spec.get("minReplicas") or 1),
        int(spec.get("maxReplicas") or 1),
        int(status.get("currentReplicas") or 0),
        int(status.get("desiredReplicas") or 0),
        int((goal.get("target") or {}).get("averageUtilization") or 0),
        int((seen.get("current") or {}).get("averageUtilization", -1)),
    )


def of_cpu(metrics: Iterable[Obj] | None) -> Obj:
    found = (m.get("resource") or {} for m in metrics or ())
    return next((r for r in found if r.get("name") == "cpu"), {})


def happening(event: Obj) -> Happening:
    meta, about = event["metadata"], event.get("involvedObject") or {}
    series = event.get("series") or {}
    return Happening(
        meta.get("namespace", ""),
        meta["name"],
        str(
            series.get("lastObservedTime")
            or event.get("lastTimestamp")
            or event.get("eventTime")
            or meta.get("creationTimestamp", "")
        ),
        event.get("type") == "Warning",
        str(event.get("reason", "")),
        str(event.get("message", "")),
        str(about.get("kind", "")),
        str(about.get("name", "")),
        int(series.get("count") or event.get("count") or 1),
    )


def ready_endpoints(piece: Obj) -> tuple[str, int]:
    """(Service, how many of its endpoints take traffic)."""
    name = (piece["metadata"].get("labels") or {}).get(SERVICE_NAME, "")
    taken = [e for e in piece.get("endpoints") or () if (e.get("conditions") or {}).get("ready") is not False]
    return str(name), len(taken)


READERS: Mapping[Kind, Reader] = {
    "pods": lambda pod: (instance(pod), alone(pod)),
    "deployments.apps": deployment,
    "jobs.batch": job,
    "services": address,
    SLICES: ready_endpoints,
    "httproutes.gateway.networking.k8s.io": route,
    "gateways.gateway.networking.k8s.io": front,
    "nodes": ground,
    "horizontalpodautoscalers.autoscaling": scaler,
    "events": happening,
}
Read = Mapping[Kind, Mapping[tuple[str, str], Fact]]


def read(objects: Mapping[Kind, Iterable[Obj]]) -> dict[Kind, dict[tuple[str, str], Fact]]:
    """Facts by kind and (namespace, name). Kinds that the dashboard does not know are left out."""
    return {
        kind: {(o["metadata"].get("namespace", ""), o["metadata"]["name"]): reader(o) for o in objects.get(kind, ())}
        for kind, reader in READERS.items()
    }


def snapshot(facts: Read, machine: Machine) -> Snapshot:
    def of(kind: Kind) -> list[Any]:
        found = facts.get(kind) or {}
        return [found[key] for key in sorted(found)]

    slices: dict[tuple[str, str], int] = {}
    for (namespace, _), (name, count) in (facts.get(SLICES) or {}).items():
        slices[namespace, name] = slices.get((namespace, name), 0) + count
    pods = of("pods")
    return Snapshot(
        machine=machine,
        instances=tuple(one for one, _ in pods),
        workloads=(
            *of("deployments.apps"),
            *of("jobs.batch"),
            *(own for _, own in pods if own is not None),
        ),
        addresses=tuple(of("services")),
        routes=tuple(of("httproutes.gateway.networking.k8s.io")),
        fronts=tuple(of("gateways.gateway.networking.k8s.io")),
        grounds=tuple(of("nodes")),
        scalers=tuple(of("horizontalpodautoscalers.autoscaling")),
        happenings=tuple(of("events")),
        slices=slices,
    )


def machine(record: Mapping[str, Any], *, gateway_alive: bool = True) -> Machine:
    """From a courtyard's record; an empty one is a courtyard that does not run."""
    here = record.get("machine") or {}
    able = tuple(Ability(a["name"], bool(a["works"]), a.get("why_not", "")) for a in here.get("abilities") or ())
    return Machine(str(record.get("name", "")), bool(record), str(here.get("network", "")), able, gateway_alive)
