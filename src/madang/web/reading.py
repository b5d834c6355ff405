"""Objects -> facts: one function a kind, in a table. Pure.

In: objects of the API, whoever fetched them. Out: facts, or None where the dashboard has nothing to say of it. What a
program or a user wrote comes through as it is; whoever shows it escapes it.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from madang.ports.objects import Kind, Obj
from madang.ports.settings import DOMAIN
from madang.ports.streams import Stack
from madang.web.facts import (
    Ability,
    Address,
    Front,
    Ground,
    Happening,
    Machine,
    Route,
    Scaler,
    Snapshot,
)
from madang.web.workload import SERVICE, alone, condition, deployment, instance, job, quantity

SLICES, SERVICE_NAME = "endpointslices.discovery.k8s.io", "kubernetes.io/service-name"
PORTS = f"{DOMAIN}/ports"
Fact = Any
Reader = Callable[[Obj], Fact]


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
    return Address(meta.get("namespace", ""), meta["name"], str(name), inside, numbers(meta, ports), tuple(open_))


def numbers(meta: Obj, ports: tuple[int, ...]) -> tuple[int, ...]:
    """Where its ports really are: on the loopback network each has a number of its own."""
    try:
        own = json.loads((meta.get("annotations") or {}).get(PORTS, "{}"))
        return tuple(int(own.get(f"{port}/TCP", port)) for port in ports)
    except (ValueError, AttributeError, TypeError):
        return ports


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


def snapshot(facts: Read, machine: Machine, stacks: tuple[Stack, ...] = ()) -> Snapshot:
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
        happenings=tuple((facts.get("events") or {}).values()),  # thousands, and looked at by time alone
        slices=slices,
        stacks=stacks,
    )


def machine(record: Mapping[str, Any], *, gateway_alive: bool = True) -> Machine:
    """From a courtyard's record; an empty one is a courtyard that does not run."""
    here = record.get("machine") or {}
    able = tuple(Ability(a["name"], bool(a["works"]), a.get("why_not", "")) for a in here.get("abilities") or ())
    return Machine(str(record.get("name", "")), bool(record), str(here.get("network", "")), able, gateway_alive)
