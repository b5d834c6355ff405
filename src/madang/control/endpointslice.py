"""EndpointSlices: behind which addresses a Service's pods stand, and whether each may get traffic.

In: a Service with a selector, its pods, its slices. Out: slices made, changed, deleted: at most 100 endpoints each,
one group of slices for each set of resolved ports (kubernetes endpointslice reconciler). An endpoint keeps its slice.
"""

from collections.abc import Iterable, Mapping, Sequence

from madang.control import pods as pod
from madang.control.controller import Ref, Waker, wake_self
from madang.control.difference import difference
from madang.control.naming import free_name
from madang.control.owners import controller_ref
from madang.control.selection import labels_of
from madang.ports.actions import Action, Create, Delete, Patch
from madang.ports.chance import Chance
from madang.ports.objects import Kind, Obj
from madang.ports.view import View

NAME = "endpointslice-controller"
KIND = "services"
SLICES = "endpointslices.discovery.k8s.io"
LIMIT = 100
OWNER, MANAGER = "kubernetes.io/service-name", "endpointslice.kubernetes.io/managed-by"
BY = "endpointslice-controller.k8s.io"
HEADLESS = "service.kubernetes.io/headless"

Port = tuple[str, int | None, str, str]  # name, number, protocol, appProtocol
Ports = tuple[Port, ...]


def wake_of_pod(obj: Obj, view: View) -> Iterable[Ref]:
    labels, namespace = labels_of(obj), obj["metadata"]["namespace"]
    for service in view.list(KIND, namespace) if labels else ():
        selector = service["spec"].get("selector")
        if selector and selector.items() <= labels.items():
            yield Ref(namespace, service["metadata"]["name"])


def wake_of_slice(obj: Obj, view: View) -> Iterable[Ref]:
    labels = labels_of(obj)
    if labels.get(MANAGER) == BY and OWNER in labels:
        yield Ref(obj["metadata"]["namespace"], labels[OWNER])


WATCHES: Mapping[Kind, Waker] = {KIND: wake_self, pod.PODS: wake_of_pod, SLICES: wake_of_slice}


def bearing(obj: Obj) -> object:
    """Of a pod all that `desired` looks at: its status is written often, and says something new of that now and then
    (as Kubernetes' podEndpointsChanged). Of anything else each change."""
    if obj.get("kind") != "Pod":
        return obj["metadata"].get("resourceVersion")
    address = (obj.get("status") or {}).get("podIP")
    return labels_of(obj), pod.deleting(obj), address, pod.ended(obj), pod.ready(obj), obj["spec"]


def decide(ref: Ref, view: View, now: float, chance: Chance) -> Sequence[Action]:
    service = view.get(KIND, ref.namespace, ref.name)
    if service is None or pod.deleting(service) or not service["spec"].get("selector"):
        return []
    if service["spec"].get("type") == "ExternalName":
        return []
    existing = [
        s
        for s in view.list(SLICES, ref.namespace, labels={OWNER: ref.name, MANAGER: BY})
        if not pod.deleting(s) and s.get("addressType") == "IPv4"
    ]
    groups = desired(service, view)
    return Filling(service, existing, view, chance).actions(groups)


def desired(service: Obj, view: View) -> dict[Ports, dict[str, Obj]]:
    """For each set of ports, the endpoints by pod uid. A Service without pods has one empty group."""
    groups: dict[Ports, dict[str, Obj]] = {}
    for p in view.list(pod.PODS, service["metadata"]["namespace"], labels=service["spec"]["selector"]):
        if not pod.ended(p) and (p.get("status") or {}).get("podIP"):
            groups.setdefault(ports_of(service, p), {})[p["metadata"]["uid"]] = endpoint(service, p)
    return groups or {(): {}}


def endpoint(service: Obj, p: Obj) -> Obj:
    meta, serving, terminating = p["metadata"], pod.ready(p), pod.deleting(p)
    ready = bool(service["spec"].get("publishNotReadyAddresses")) or (serving and not terminating)
    made: Obj = {
        "addresses": [p["status"]["podIP"]],
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
        "targetRef": {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]},
    }
    if node := p["spec"].get("nodeName"):
        made["nodeName"] = node
    if p["spec"].get("hostname") and p["spec"].get("subdomain") == service["metadata"]["name"]:
        made["hostname"] = p["spec"]["hostname"]
    return made


def ports_of(service: Obj, p: Obj) -> Ports:
    """The Service's ports as this pod has them; a name that the pod lacks is left out."""
    found = []
    for port in service["spec"].get("ports") or ():
        protocol = port.get("protocol", "TCP")
        target = port.get("targetPort", port["port"])
        number = target if isinstance(target, int) else named_port(p, str(target), protocol)
        if number:
            found.append((port.get("name", ""), number, protocol, port.get("appProtocol", "")))
    return tuple(found)


def named_port(p: Obj, name: str, protocol: str) -> int | None:
    sidecars = [c for c in p["spec"].get("initContainers") or () if c.get("restartPolicy") == "Always"]
    for container in [*p["spec"].get("containers", ()), *sidecars]:
        for port in container.get("ports") or ():
            if port.get("name") == name and port.get("protocol", "TCP") == protocol:
                return int(port["containerPort"])
    return None


def port_objects(ports: Ports) -> list[Obj]:
    return [
        {"name": name, "port": number, "protocol": protocol, **({"appProtocol": app} if app else {})}
        for name, number, protocol, app in ports
    ]


def ports_in(found: Obj) -> Ports:
    return tuple(
        (p.get("name") or "", p.get("port"), p.get("protocol") or "TCP", p.get("appProtocol") or "")
        for p in found.get("ports") or ()
    )


class Filling:
    """Which endpoints go into which slices, disturbing as little as can be."""

    def __init__(self, service: Obj, existing: Sequence[Obj], view: View, chance: Chance) -> None:
        self._service, self._existing, self._view, self._chance = service, existing, view, chance
        self._taken: set[str] = set()

    def actions(self, groups: Mapping[Ports, Mapping[str, Obj]]) -> list[Action]:
        spare = [s for s in self._existing if ports_in(s) not in groups]
        content: list[tuple[Obj | None, Ports, list[Obj]]] = []
        for ports, endpoints in groups.items():
            own = [s for s in self._existing if ports_in(s) == ports]
            content += [(s, ports, inside) for s, inside in self._fill(own, spare, endpoints)]
        filled = [row for row in content if row[2]] or content[:1]  # a Service without pods keeps one, empty
        kept = {id(s) for s, _, _ in filled if s is not None}
        gone = [s for s in self._existing if id(s) not in kept]
        deletes = [Delete(SLICES, s["metadata"]["namespace"], s["metadata"]["name"], uid=s["metadata"]["uid"])
                   for s in gone]  # fmt: skip
        return [*(a for s, ports, inside in filled for a in self._write(s, ports, inside)), *deletes]

    def _fill(
        self, own: Sequence[Obj], spare: list[Obj], endpoints: Mapping[str, Obj]
    ) -> list[tuple[Obj | None, list[Obj]]]:
        waiting = dict(endpoints)
        rows: list[tuple[Obj | None, list[Obj]]] = []
        for s in own:
            uids = [(e.get("targetRef") or {}).get("uid", "") for e in s.get("endpoints") or ()]
            rows.append((s, [waiting.pop(uid) for uid in uids if uid in waiting]))
        rest = list(waiting.values())
        for _, inside in sorted(rows, key=lambda row: -len(row[1])):
            room = LIMIT - len(inside)
            inside += rest[:room]
            rest = rest[room:]
        while rest or not rows:
            rows.append((spare.pop(0) if spare else None, rest[:LIMIT]))
            rest = rest[LIMIT:]
        return rows

    def _write(self, old: Obj | None, ports: Ports, endpoints: list[Obj]) -> list[Action]:
        labels = self._labels()
        body: Obj = {"endpoints": endpoints, "ports": port_objects(ports)}
        service, namespace = self._service, self._service["metadata"]["namespace"]
        if old is None:
            prefix = service["metadata"]["name"] + "-"
            metadata = {
                "generateName": prefix,
                "name": free_name(SLICES, namespace, prefix, self._view, self._chance, self._taken),
                "namespace": namespace,
                "labels": labels,
                "ownerReferences": [controller_ref(service, "v1", "Service")],
            }
            fixed = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4"}
            return [Create(SLICES, {**fixed, "metadata": metadata, **body})]
        meta = old["metadata"]
        present = {"endpoints": old.get("endpoints") or [], "ports": old.get("ports") or []}
        patch = difference(present, body)
        if changed := difference(meta.get("labels") or {}, labels):
            patch["metadata"] = {"labels": changed}
        return [Patch(SLICES, namespace, meta["name"], patch, uid=meta["uid"])] if patch else []

    def _labels(self) -> dict[str, str]:
        own = {k: v for k, v in labels_of(self._service).items() if k not in (OWNER, MANAGER, HEADLESS)}
        headless = {HEADLESS: ""} if self._service["spec"].get("clusterIP") == "None" else {}
        return {**own, **headless, OWNER: self._service["metadata"]["name"], MANAGER: BY}
