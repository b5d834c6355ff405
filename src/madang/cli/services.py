"""What runs, as a person asks for it: one row a service, from Deployments, Jobs, Services and pods. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from madang.app.progress import is_ready, trouble, waiting_for, warnings
from madang.kinds import quantity
from madang.ports.objects import Obj
from madang.ports.settings import DOMAIN


def summary(
    deployments: Iterable[Obj],
    jobs: Iterable[Obj],
    pods: Iterable[Obj],
    services: Iterable[Obj],
    events: Iterable[Obj] = (),
    samples: Iterable[Obj] = (),
) -> list[Obj]:
    """[{service, namespace, kind, ready, wanted, restarts, state, reason, addresses, schemes, uses}], in order of
    names. `schemes` names what is spoken at those addresses that do not speak HTTP; `uses` is of all its instances."""
    by_owner, addresses, warned = group(pods), spoken(services), warnings(events)
    owners = [("Deployment", o) for o in deployments] + [("Job", o) for o in jobs]
    used = {(m["metadata"].get("namespace", ""), m["metadata"]["name"]): m["containers"] for m in samples}
    rows = [row(kind, o, by_owner, addresses, warned) | {"uses": uses(o, by_owner, used)} for kind, o in owners]
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


def row(
    kind: str,
    owner: Obj,
    pods: Mapping[tuple[str, str], list[Obj]],
    addresses: Mapping[Any, Mapping[str, str]],
    warned: Mapping[str, str],
) -> Obj:
    meta, spec, status = owner["metadata"], owner.get("spec", {}), owner.get("status", {})
    place = (meta.get("namespace", ""), meta["name"])
    mine = pods.get(place, [])
    if kind == "Job":
        wanted, ready = spec.get("completions", 1), status.get("succeeded", 0)
        state = "done" if condition(owner, "Complete") else "failed" if condition(owner, "Failed") else "runs"
    else:
        wanted, ready = spec.get("replicas", 1), status.get("readyReplicas", 0)
        state = "stopped" if wanted == 0 else "starting" if ready < wanted else "ready"
        if state == "ready" and status.get("updatedReplicas", ready) < status.get("replicas", ready):
            state = "updating"  # the old ones still serve
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
        "reason": why_not(mine, warned) if state in ("starting", "updating", "failed") else "",
        "addresses": list(addresses.get(place, ())),
        "schemes": {at: scheme for at, scheme in addresses.get(place, {}).items() if scheme != "http"},
    }


def uses(owner: Obj, pods: Mapping[tuple[str, str], list[Obj]], used: Mapping[tuple[str, str], list[Obj]]) -> Obj:
    """CPU (thousandths of a core) and memory of all containers, as last sampled."""
    place = (owner["metadata"].get("namespace", ""), owner["metadata"]["name"])
    names = [(place[0], pod["metadata"]["name"]) for pod in pods.get(place, [])]
    found = [container["usage"] for name in names for container in used.get(name, ())]
    return {
        "cpu_millis": sum(quantity.millis(u["cpu"]) for u in found),
        "memory_bytes": sum(quantity.value(u["memory"]) for u in found),
    }


def condition(obj: Obj, type_: str) -> bool:
    return any(c["type"] == type_ and c["status"] == "True" for c in obj.get("status", {}).get("conditions", ()))


def why_not(pods: Iterable[Obj], warned: Mapping[str, str]) -> str:
    """The first thing that keeps a pod from being ready, in the API's words."""
    late = [pod for pod in pods if not is_ready(pod)]
    kept = waiting_for(late)
    return f"waits for {kept}" if kept else trouble(late, warned)


def published(services: Iterable[Obj]) -> dict[tuple[str, str], list[str]]:
    """Addresses outside the courtyard by (namespace, service), as the gateway reports them in the Service's status."""
    return {place: list(known) for place, known in spoken(services).items()}


def spoken(services: Iterable[Obj]) -> dict[tuple[str, str], dict[str, str]]:
    """The same, each address with the scheme of its URL."""
    out: dict[tuple[str, str], dict[str, str]] = {}
    for service in services:
        meta = service["metadata"]
        ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress", ())
        protocols = {p["port"]: p.get("appProtocol", "") for p in service["spec"].get("ports", ())}
        for point in ingress:
            host = point.get("ip") or point.get("hostname")
            ports = point.get("ports") or [{"port": p["port"]} for p in service["spec"].get("ports", ())]
            for port in (p for p in ports if not p.get("error")):
                name = meta.get("labels", {}).get(f"{DOMAIN}/service", meta["name"])
                here = out.setdefault((meta.get("namespace", ""), name), {})
                here[f"{host}:{port['port']}"] = scheme(protocols.get(port["port"], ""))
    return out


def scheme(protocol: str) -> str:
    """Of an `appProtocol`: a name of its own, unless it is another word for HTTP."""
    plain = re.fullmatch(r"[a-z][a-z0-9+.-]*", protocol) and protocol not in ("h2c", "grpc")
    return protocol if plain else "http"
