"""Endpoints: the older form of a Service's slices, one object of the Service's own name, for those who still read it.

In: a Service with a selector, its pods, its Endpoints. Out: the object made, changed, deleted (kubernetes
endpoint-controller). One of a Service without selector is its user's, and `endpointslicemirroring` makes slices of it.
"""

from collections.abc import Mapping, Sequence

from madang.control import endpointslice
from madang.control import pods as pod
from madang.control.controller import Ref, Waker, wake_self
from madang.control.difference import difference
from madang.control.selection import labels_of
from madang.kinds.subsets import MANY, repack, truncated
from madang.ports.actions import Action, Create, Delete, Patch
from madang.ports.chance import Chance
from madang.ports.objects import Kind, Obj
from madang.ports.view import View

NAME = "endpoint-controller"
KIND, SERVICES = "endpoints", "services"
MANAGER = "endpoints.kubernetes.io/managed-by"
HEADLESS = endpointslice.HEADLESS
# The gateway and DNS read slices: nobody hurries here, and pods that become ready together make one write.
GATHERS_S = 0.5

bearing = endpointslice.bearing
WATCHES: Mapping[Kind, Waker] = {SERVICES: wake_self, KIND: wake_self, pod.PODS: endpointslice.wake_of_pod}


def decide(ref: Ref, view: View, now: float, chance: Chance) -> Sequence[Action]:
    service, found = view.get(SERVICES, ref.namespace, ref.name), view.get(KIND, ref.namespace, ref.name)
    if service is None or pod.deleting(service):
        return [_delete(found)] if found is not None and labels_of(found).get(MANAGER) == NAME else []
    if not service["spec"].get("selector") or service["spec"].get("type") == "ExternalName":
        return []
    subsets = repack(_single(service, view))
    cut = truncated(subsets)
    annotations = {MANY: "truncated"} if cut is not None else {}
    wanted = {"subsets": subsets if cut is None else cut}
    labels = _labels(service)
    if found is None:
        metadata: Obj = {"name": ref.name, "namespace": ref.namespace, "labels": labels}
        if annotations:
            metadata["annotations"] = annotations
        return [Create(KIND, {"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata, **wanted})]
    if pod.deleting(found):
        return []
    patch = difference({"subsets": found.get("subsets") or []}, wanted)
    meta = found["metadata"]
    changed = {"labels": difference(labels_of(found), labels)}
    held = {key: value for key, value in (meta.get("annotations") or {}).items() if key == MANY}
    changed["annotations"] = difference(held, annotations)
    if changed := {key: value for key, value in changed.items() if value}:
        patch["metadata"] = changed
    return [Patch(KIND, ref.namespace, ref.name, patch, uid=meta["uid"])] if patch else []


def _delete(found: Obj) -> Delete:
    meta = found["metadata"]
    return Delete(KIND, meta["namespace"], meta["name"], uid=meta["uid"])


def _labels(service: Obj) -> dict[str, str]:
    own = {key: value for key, value in labels_of(service).items() if key != HEADLESS}
    headless = {HEADLESS: ""} if service["spec"].get("clusterIP") in (None, "", "None") else {}
    return {**own, **headless, MANAGER: NAME}


def _single(service: Obj, view: View) -> list[Obj]:
    """One subset for each pod and port, not yet packed."""
    spec, found = service["spec"], []
    early = bool(spec.get("publishNotReadyAddresses"))
    for p in view.list(pod.PODS, service["metadata"]["namespace"], labels=spec["selector"]):
        if pod.ended(p) or not (p.get("status") or {}).get("podIP") or (pod.deleting(p) and not early):
            continue
        part = "addresses" if early or pod.ready(p) else "notReadyAddresses"
        address = _address(service, p)
        if not spec.get("ports"):
            found.append({part: [address]})
        for port in endpointslice.port_objects(endpointslice.ports_of(service, p)):
            kept = {key: value for key, value in port.items() if value != ""}
            found.append({part: [address], "ports": [kept]})
    return found


def _address(service: Obj, p: Obj) -> Obj:
    slice_form = endpointslice.endpoint(service, p)
    made: Obj = {"ip": p["status"]["podIP"], "targetRef": slice_form["targetRef"]}
    return made | {key: slice_form[key] for key in ("hostname", "nodeName") if key in slice_form}
