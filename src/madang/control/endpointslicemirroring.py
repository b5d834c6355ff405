"""Slices of the Endpoints that somebody has written by hand for a Service without a selector: who carries traffic and
answers names reads slices alone.

In: an Endpoints object, the Service of its name, the slices made of it. Out: one slice for each set of ports and family
of addresses (kubernetes endpointslicemirroring-controller); none where the Endpoints say `skip-mirror`.
"""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address

from madang.control import pods as pod
from madang.control.controller import Ref, Waker, wake_self
from madang.control.difference import difference
from madang.control.endpointslice import MANAGER, OWNER, SLICES, Ports, port_objects, ports_in
from madang.control.naming import free_name
from madang.control.owners import controller_ref
from madang.control.selection import labels_of
from madang.ports.actions import Action, Create, Delete, Patch
from madang.ports.chance import Chance
from madang.ports.objects import Kind, Obj
from madang.ports.view import View

NAME = "endpointslicemirroring-controller"
KIND, SERVICES = "endpoints", "services"
BY = "endpointslicemirroring-controller.k8s.io"
SKIP = "endpointslice.kubernetes.io/skip-mirror"
LEADER = "control-plane.alpha.kubernetes.io/leader"
NOT_COPIED = ("endpoints.kubernetes.io/last-change-trigger-time", "kubectl.kubernetes.io/last-applied-configuration")
MOST = 1000  # of one subset


def wake_of_slice(obj: Obj, view: View) -> Iterable[Ref]:
    labels = labels_of(obj)
    if labels.get(MANAGER) == BY and OWNER in labels:
        yield Ref(obj["metadata"]["namespace"], labels[OWNER])


WATCHES: Mapping[Kind, Waker] = {SERVICES: wake_self, KIND: wake_self, SLICES: wake_of_slice}
Group = tuple[str, Ports]


def decide(ref: Ref, view: View, now: float, chance: Chance) -> Sequence[Action]:
    found, service = view.get(KIND, ref.namespace, ref.name), view.get(SERVICES, ref.namespace, ref.name)
    existing = [s for s in view.list(SLICES, ref.namespace, labels={OWNER: ref.name, MANAGER: BY})
                if not pod.deleting(s)]  # fmt: skip
    groups = grouped(found) if found is not None and service is not None and mirrored(found, service) else {}
    actions: list[Action] = []
    taken: set[str] = set()
    for old in existing:
        group = (str(old.get("addressType")), ports_in(old))
        endpoints = groups.pop(group, None)
        if endpoints is None or found is None:
            meta = old["metadata"]
            actions.append(Delete(SLICES, meta["namespace"], meta["name"], uid=meta["uid"]))
        else:
            actions += _change(old, found, endpoints)
    if found is not None:
        for (family, ports), endpoints in groups.items():
            prefix = f"{ref.name}-"
            name = free_name(SLICES, ref.namespace, prefix, view, chance, taken)
            actions.append(Create(SLICES, _slice(found, name, prefix, family, ports, endpoints)))
    return actions


def mirrored(found: Obj, service: Obj) -> bool:
    meta = found["metadata"]
    return not (
        pod.deleting(found)
        or pod.deleting(service)
        or service["spec"].get("selector")
        or labels_of(found).get(SKIP) == "true"
        or LEADER in (meta.get("annotations") or {})
    )


def grouped(found: Obj) -> dict[Group, list[Obj]]:
    groups: dict[Group, dict[str, Obj]] = {}
    for subset in found.get("subsets") or ():
        ports = ports_in(subset)
        both = [*((a, True) for a in subset.get("addresses") or ()),
                *((a, False) for a in subset.get("notReadyAddresses") or ())]  # fmt: skip
        for address, ready in both[:MOST]:
            ip = ip_address(address["ip"])
            endpoint = {"addresses": [str(ip)], "conditions": {"ready": ready}}
            endpoint |= {k: address[k] for k in ("hostname", "nodeName", "targetRef") if address.get(k)}
            groups.setdefault((f"IPv{ip.version}", ports), {}).setdefault(str(ip), endpoint)
    return {group: list(endpoints.values()) for group, endpoints in groups.items()}


def _slice(found: Obj, name: str, prefix: str, family: str, ports: Ports, endpoints: list[Obj]) -> Obj:
    metadata: Obj = {
        "generateName": prefix,
        "name": name,
        "namespace": found["metadata"]["namespace"],
        "labels": _labels(found),
        "ownerReferences": [controller_ref(found, "v1", "Endpoints")],
    }
    if annotations := _annotations(found):
        metadata["annotations"] = annotations
    fixed = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": family}
    return {**fixed, "metadata": metadata, "endpoints": endpoints, "ports": port_objects(ports)}


def _change(old: Obj, found: Obj, endpoints: list[Obj]) -> list[Action]:
    meta = old["metadata"]
    patch = difference({"endpoints": old.get("endpoints") or []}, {"endpoints": endpoints})
    changed = {
        "labels": difference(labels_of(old), _labels(found)),
        "annotations": difference(meta.get("annotations") or {}, _annotations(found)),
    }
    if changed := {key: value for key, value in changed.items() if value}:
        patch["metadata"] = changed
    return [Patch(SLICES, meta["namespace"], meta["name"], patch, uid=meta["uid"])] if patch else []


def _labels(found: Obj) -> dict[str, str]:
    return {**labels_of(found), OWNER: found["metadata"]["name"], MANAGER: BY}


def _annotations(found: Obj) -> dict[str, str]:
    return {k: v for k, v in (found["metadata"].get("annotations") or {}).items() if k not in NOT_COPIED}
