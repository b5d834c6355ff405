"""How the core group is printed: namespaces, nodes, services, config, events.

In: the object and the hour. Out: cells as the API server prints them.
"""

from collections.abc import Sequence
from dataclasses import replace

from madang.kinds import ages
from madang.kinds.columns.cells import AGE, NAME, at, column, first_few, labels_text, timed
from madang.ports.objects import Obj

_ROLE = "node-role.kubernetes.io/"

NAMESPACE = (
    NAME,
    column("Status", "string", "The status of the namespace", lambda o: at(o, "status", "phase")),
    AGE,
)  # fmt: skip


def _endpoints(found: Obj) -> str:
    subsets = found.get("subsets") or ()
    texts = []
    for subset in subsets:
        ips = [a["ip"] for a in subset.get("addresses") or ()]
        ports = subset.get("ports") or ()
        texts += [f"[{ip}]:{p['port']}" if ":" in ip else f"{ip}:{p['port']}" for p in ports for ip in ips]
        texts += [] if ports else ips
    return first_few(texts) if texts else "<none>" if not subsets else ""


ENDPOINTS = (NAME, column("Endpoints", "string", "core.v1.Endpoints.subsets", _endpoints), AGE)


def node_status(node: Obj) -> str:
    ready = next((c for c in at(node, "status", "conditions", default=()) if c.get("type") == "Ready"), None)
    word = "Unknown" if ready is None else "Ready" if ready.get("status") == "True" else "NotReady"
    return word + (",SchedulingDisabled" if at(node, "spec", "unschedulable") else "")


def node_roles(node: Obj) -> str:
    labels = node["metadata"].get("labels") or {}
    roles = {key.removeprefix(_ROLE) for key in labels if key.startswith(_ROLE)} | {labels.get("kubernetes.io/role")}
    return ",".join(sorted(role for role in roles if role)) or "<none>"


def _address(node: Obj, kind: str) -> str:
    found = (a["address"] for a in at(node, "status", "addresses", default=()) if a.get("type") == kind)
    return next(found, "<none>")


def _info(node: Obj, name: str) -> str:
    return str(at(node, "status", "nodeInfo", name))


def _kernel(node: Obj) -> str:
    machine = _info(node, "architecture")
    return (_info(node, "kernelVersion") or "<unknown>") + (f" ({machine})" if machine else "")


NODE = (
    NAME,
    column("Status", "string", "The status of the node", node_status),
    column("Roles", "string", "The roles of the node", node_roles),
    AGE,
    column("Version", "string", "core.v1.NodeSystemInfo.kubeletVersion", lambda n: _info(n, "kubeletVersion")),
    column(
        "Internal-IP", "string", "core.v1.NodeStatus.addresses", lambda n: _address(n, "InternalIP"), wide=True,
    ),
    column(
        "External-IP", "string", "core.v1.NodeStatus.addresses", lambda n: _address(n, "ExternalIP"), wide=True,
    ),
    column(
        "OS-Image", "string", "core.v1.NodeSystemInfo.osImage", lambda n: _info(n, "osImage") or "<unknown>", wide=True,
    ),
    column("Kernel-Version", "string", "core.v1.NodeSystemInfo.kernelVersion", _kernel, wide=True),
    column(
        "Container-Runtime", "string", "core.v1.NodeSystemInfo.containerRuntimeVersion",
        lambda n: _info(n, "containerRuntimeVersion") or "<unknown>", wide=True,
    ),
)  # fmt: skip


def external_address(service: Obj) -> str:
    spec = service.get("spec") or {}
    given: Sequence[str] = spec.get("externalIPs") or ()
    kind = spec.get("type")
    if kind in ("ClusterIP", "NodePort"):
        return ",".join(given) or "<none>"
    if kind == "LoadBalancer":
        ingress = at(service, "status", "loadBalancer", "ingress", default=())
        balanced = sorted({entry.get("ip") or entry.get("hostname", "") for entry in ingress} - {""})
        return ",".join([*balanced, *given]) or "<pending>"
    return str(spec.get("externalName", "")) if kind == "ExternalName" else "<unknown>"


def ports_text(service: Obj) -> str:
    ports = at(service, "spec", "ports", default=())
    texts = [
        f"{p['port']}{':' + str(p['nodePort']) if p.get('nodePort') else ''}/{p.get('protocol', '')}" for p in ports
    ]
    return ",".join(texts) or "<none>"


def _cluster_address(service: Obj) -> str:
    listed = at(service, "spec", "clusterIPs", default=())
    return listed[0] if listed else "<none>"


SERVICE = (
    NAME,
    column("Type", "string", "core.v1.ServiceSpec.type", lambda o: at(o, "spec", "type")),
    column("Cluster-IP", "string", "core.v1.ServiceSpec.clusterIP", _cluster_address),
    column("External-IP", "string", "core.v1.ServiceSpec.externalIPs", external_address),
    column("Port(s)", "string", "core.v1.ServiceSpec.ports", ports_text),
    AGE,
    column(
        "Selector", "string", "core.v1.ServiceSpec.selector",
        lambda o: labels_text(at(o, "spec", "selector", default={})), wide=True,
    ),
)  # fmt: skip
CONFIG_MAP = (
    NAME,
    column(
        "Data", "string", "core.v1.ConfigMap.data", lambda o: len(o.get("data") or ()) + len(o.get("binaryData") or ()),
    ),
    AGE,
)  # fmt: skip
SECRET = (
    NAME,
    column("Type", "string", "core.v1.Secret.type", lambda o: o.get("type", "")),
    column("Data", "string", "core.v1.Secret.data", lambda o: len(o.get("data") or ())),
    AGE,
)  # fmt: skip
SERVICE_ACCOUNT = (NAME, AGE)


def _first_seen(event: Obj, now: float) -> str:
    return ages.since(event.get("firstTimestamp") or event.get("eventTime"), now)


def _last_seen(event: Obj, now: float) -> str:
    if event.get("series"):
        return ages.since(event["series"].get("lastObservedTime"), now)
    last = event.get("lastTimestamp")
    return ages.since(last, now) if last else _first_seen(event, now)


def _times_seen(event: Obj) -> int:
    if event.get("series"):
        return int(event["series"].get("count", 0))
    return int(event.get("count") or 1)


def _about(event: Obj) -> str:
    kind, name = at(event, "involvedObject", "kind").lower(), at(event, "involvedObject", "name")
    return f"{kind}/{name}" if name else kind


def _source(event: Obj) -> str:
    component = at(event, "source", "component") or event.get("reportingComponent", "")
    instance = at(event, "source", "host") or event.get("reportingInstance", "")
    return f"{component}, {instance}" if instance else component


EVENT = (
    timed("Last Seen", "core.v1.Event.lastTimestamp", _last_seen),
    column("Type", "string", "core.v1.Event.type", lambda o: o.get("type", "")),
    column("Reason", "string", "core.v1.Event.reason", lambda o: o.get("reason", "")),
    column("Object", "string", "core.v1.Event.involvedObject", _about),
    column(
        "Subobject", "string", "core.v1.ObjectReference.fieldPath", lambda o: at(o, "involvedObject", "fieldPath"),
        wide=True,
    ),
    column("Source", "string", "core.v1.Event.source", _source, wide=True),
    column("Message", "string", "core.v1.Event.message", lambda o: o.get("message", "").strip()),
    timed("First Seen", "core.v1.Event.firstTimestamp", _first_seen, wide=True),
    column("Count", "string", "core.v1.Event.count", _times_seen, wide=True),
    replace(NAME, priority=1),
)  # fmt: skip

POD_TEMPLATE = (
    NAME,
    column("Containers", "string", "Names of each container in the template.", lambda o: _each(o, "name")),
    column("Images", "string", "Images referenced by each container in the template.", lambda o: _each(o, "image")),
    column(
        "Pod Labels", "string", "The labels for the pod template.",
        lambda o: labels_text(at(o, "template", "metadata", "labels", default=None)),
    ),
)  # fmt: skip


def _each(obj: Obj, field: str) -> str:
    return ",".join(c.get(field, "") for c in at(obj, "template", "spec", "containers", default=()))
