"""What runs, as a person asks for it: one row a service, from Deployments, Jobs, Services and pods. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from madang.app.progress import container_trouble
from madang.ports.objects import Obj
from madang.ports.settings import DOMAIN


def summary(deployments: Iterable[Obj], jobs: Iterable[Obj], pods: Iterable[Obj], services: Iterable[Obj]) -> list[Obj]:
    """[{service, namespace, kind, ready, wanted, restarts, state, reason, addresses}], in order of names."""
    by_owner = group(pods)
    addresses = published(services)
    rows = [row("Deployment", o, by_owner, addresses) for o in deployments] + [
        row("Job", o, by_owner, addresses) for o in jobs
    ]
    return sorted(rows, key=lambda r: (r["namespace"], r["service"]))


def group(pods: Iterable[Obj]) -> dict[tuple[str, str], list[Obj]]:
    """Pods by (namespace, service): a Deployment's pods carry its ReplicaSet as owner, named SERVICE-HASH."""
    out: dict[tuple[str, str], list[Obj]] = {}
    for pod in pods:
        meta = pod["metadata"]
        for owner in meta.get("ownerReferences", ()):
            name = owner["name"]
            if owner["kind"] == "ReplicaSet":
                name = name.rpartition("-")[0]
            out.setdefault((meta.get("namespace", ""), name), []).append(pod)
    return out


def row(kind: str, owner: Obj, pods: Mapping[tuple[str, str], list[Obj]], addresses: Mapping[Any, list[str]]) -> Obj:
    meta, spec, status = owner["metadata"], owner.get("spec", {}), owner.get("status", {})
    place = (meta.get("namespace", ""), meta["name"])
    mine = pods.get(place, [])
    if kind == "Job":
        wanted, ready = spec.get("completions", 1), status.get("succeeded", 0)
        state = "done" if condition(owner, "Complete") else "failed" if condition(owner, "Failed") else "runs"
    else:
        wanted, ready = spec.get("replicas", 1), status.get("readyReplicas", 0)
        state = "stopped" if wanted == 0 else "ready" if ready >= wanted else "starting"
    return {
        "service": meta["name"],
        "namespace": place[0],
        "kind": kind,
        "ready": ready,
        "wanted": wanted,
        "restarts": sum(
            s.get("restartCount", 0) for p in mine for s in p.get("status", {}).get("containerStatuses", ())
        ),
        "state": state,
        "reason": why_not(mine) if state in ("starting", "failed") else "",
        "addresses": addresses.get(place, []),
    }


def condition(obj: Obj, type_: str) -> bool:
    return any(c["type"] == type_ and c["status"] == "True" for c in obj.get("status", {}).get("conditions", ()))


def why_not(pods: Iterable[Obj]) -> str:
    """The first thing that keeps a pod from being ready, in the API's words."""
    for pod in pods:
        status = pod.get("status", {})
        for container in [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]:
            if text := container_trouble(container):
                return text
        for found in status.get("conditions", ()):
            if found["type"] == "PodScheduled" and found["status"] == "False":
                return str(found.get("message") or found.get("reason", ""))
    return ""


def published(services: Iterable[Obj]) -> dict[tuple[str, str], list[str]]:
    """Addresses outside the courtyard by (namespace, service), as the gateway reports them in the Service's status."""
    out: dict[tuple[str, str], list[str]] = {}
    for service in services:
        meta = service["metadata"]
        ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress", ())
        for point in ingress:
            host = point.get("ip") or point.get("hostname")
            ports = point.get("ports") or [{"port": p["port"]} for p in service["spec"].get("ports", ())]
            for port in (p for p in ports if not p.get("error")):
                name = meta.get("labels", {}).get(f"{DOMAIN}/service", meta["name"])
                out.setdefault((meta.get("namespace", ""), name), []).append(f"{host}:{port['port']}")
    return out
