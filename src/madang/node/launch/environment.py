"""A container's environment, as a kubelet builds it: service variables, then envFrom, then env.

In: the pod, the container, the objects that it refers to (by lookups), its addresses. Out: name -> value.
A reference that is not there raises `Missing` with the kubelet's own words.
"""

import json
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from madang.node.names.peers import places, reached
from madang.node.names.service_ports import service_port
from madang.node.pod import spec
from madang.node.pod.spec import Role
from madang.ports.objects import Obj

Lookup = Callable[[str, str], Obj | None]  # (kind, name) in the pod's namespace


class Missing(Exception):
    """A reference that is not optional names nothing."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the pod is: what the downward API tells of it. `allocatable` stands in for limits that are not set."""

    pod_ip: str = ""
    host_ip: str = ""
    loopback: bool = False
    allocatable: Mapping[str, str] = field(default_factory=dict)


def environment(
    pod: Obj, role: Role, lookup: Lookup, services: Iterable[Obj], place: Place, neighbours: Sequence[Obj] = ()
) -> dict[str, str]:
    """`services` are those that the pod gets variables of, `neighbours` those that it may name in its values."""
    known = service_variables(services)
    peers = places(neighbours, pod["metadata"].get("namespace", "")) if place.loopback else {}
    if place.loopback:
        known |= _found_by(neighbours, pod, place) | listen_variables(role, place)
    for source in role.spec.get("envFrom") or ():
        known |= {name: reached(value, peers) for name, value in _from(source, lookup).items()}
    for entry in role.spec.get("env") or ():
        value = _value(entry, pod, role, lookup, place, known)
        if value is not None:
            known[entry["name"]] = reached(value, peers)
    return known


def _found_by(neighbours: Sequence[Obj], pod: Obj, place: Place) -> dict[str, str]:
    """Where names alone lead nowhere, a program learns its peers' places even if it wants no links (whose other form,
    CART_PORT, it may read as something of its own)."""
    own = [s for s in neighbours if s["metadata"].get("namespace", "") == pod["metadata"].get("namespace", "")]
    return {name: value for name, value in service_variables(own).items() if "_SERVICE_" in name}


def listen_variables(role: Role, place: Place) -> dict[str, str]:
    """Where a program has to listen on a machine whose addresses all share one port space."""
    ports = spec.tcp_ports(role)
    found = {"HOST": place.pod_ip, "POD_IP": place.pod_ip}
    return found | ({"PORT": str(ports[0])} if ports else {})


def _from(source: Obj, lookup: Lookup) -> dict[str, str]:
    prefix = source.get("prefix", "")
    for key, kind in (("configMapRef", "configmaps"), ("secretRef", "secrets")):
        if key not in source:
            continue
        name = source[key].get("name", "")
        found = lookup(kind, name)
        if found is None:
            if source[key].get("optional"):
                return {}
            raise Missing(f'{kind[:-1]} "{name}" not found')
        return {prefix + k: v for k, v in texts(kind, found).items()}
    return {}


def texts(kind: str, obj: Obj) -> dict[str, str]:
    """The data of a ConfigMap or Secret as text."""
    data = obj.get("data") or {}
    if kind == "configmaps":
        return dict(data)
    return {k: b64decode(v or "").decode("utf-8", "surrogateescape") for k, v in data.items()}


def _value(entry: Obj, pod: Obj, role: Role, lookup: Lookup, place: Place, known: Mapping[str, str]) -> str | None:
    source = entry.get("valueFrom")
    if not source:
        return expand(entry.get("value") or "", known)
    if "fieldRef" in source:
        return field_value(pod, source["fieldRef"]["fieldPath"], place)
    if "resourceFieldRef" in source:
        return resource_value(pod, source["resourceFieldRef"], place, role)
    for key, kind, shown in (("configMapKeyRef", "configmaps", "ConfigMap"), ("secretKeyRef", "secrets", "Secret")):
        if key in source:
            return _key(source[key], kind, shown, pod, lookup)
    raise Missing(f"env {entry['name']}: this source of a value isn't built yet: {', '.join(source)}")


def _key(ref: Obj, kind: str, shown: str, pod: Obj, lookup: Lookup) -> str | None:
    name, key = ref.get("name", ""), ref["key"]
    found = lookup(kind, name)
    if found is None:
        if ref.get("optional"):
            return None
        raise Missing(f'{kind[:-1]} "{name}" not found')
    value = texts(kind, found).get(key)
    if value is None and not ref.get("optional"):
        raise Missing(f"couldn't find key {key} in {shown} {pod['metadata']['namespace']}/{name}")
    return value


def expand(text: str, known: Mapping[str, str]) -> str:
    """$(NAME) becomes the value of a variable that is known already; $$ is a dollar; what is unknown stays."""
    out, at = [], 0
    while (mark := text.find("$", at)) >= 0:
        out.append(text[at:mark])
        follows = text[mark + 1 : mark + 2]
        end = text.find(")", mark)
        if follows == "$":
            out.append("$")
            at = mark + 2
        elif follows == "(" and end > 0:
            name = text[mark + 2 : end]
            out.append(known.get(name, f"$({name})"))
            at = end + 1
        else:
            out.append("$")
            at = mark + 1
    return "".join(out) + text[at:]


def field_value(pod: Obj, path: str, place: Place) -> str:
    """A `fieldRef` (the downward API). Raises Missing for a path that the API does not offer."""
    meta, body = pod["metadata"], pod["spec"]
    plain = {
        "metadata.name": meta["name"],
        "metadata.namespace": meta.get("namespace", ""),
        "metadata.uid": meta.get("uid", ""),
        "spec.nodeName": body.get("nodeName", ""),
        "spec.serviceAccountName": body.get("serviceAccountName", ""),
        "status.hostIP": place.host_ip,
        "status.hostIPs": place.host_ip,
        "status.podIP": place.pod_ip,
        "status.podIPs": place.pod_ip,
    }
    if path in plain:
        return str(plain[path])
    for part in ("labels", "annotations"):
        values = meta.get(part) or {}
        if path == f"metadata.{part}":
            return "\n".join(f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in sorted(values.items()))
        if path.startswith(f"metadata.{part}['") and path.endswith("']"):
            return str(values.get(path[len(f"metadata.{part}['") : -2], ""))
    raise Missing(f"unsupported fieldPath: {path}")


def resource_value(pod: Obj, ref: Obj, place: Place, own: Role | None) -> str:
    """A `resourceFieldRef`: in units of its divisor, rounded up."""
    name = ref.get("containerName") or (own.name if own else "")
    role = spec.role(pod, name)
    side, _, resource = str(ref["resource"]).partition(".")
    value = ((role.spec.get("resources") or {}).get(side) or {}).get(resource)
    if value is None and side == "limits":
        value = place.allocatable.get(resource, "0")
    divisor = spec.quantity(ref.get("divisor") or "1")
    number = spec.quantity(value if value is not None else "0") / (divisor or Decimal(1))
    return str(int(number.to_integral_value(rounding="ROUND_CEILING")))


def service_variables(services: Iterable[Obj]) -> dict[str, str]:
    """NAME_SERVICE_HOST and its kin for every Service that has an address."""
    found: dict[str, str] = {}
    for service in services:
        ip = service["spec"].get("clusterIP", "None")
        ports = service["spec"].get("ports") or []
        if ip in ("", "None") or not ports:
            continue
        stem = variable(service["metadata"]["name"])
        numbers = [(p, service_port(service, p)) for p in ports]
        found[f"{stem}_SERVICE_HOST"] = ip
        found[f"{stem}_SERVICE_PORT"] = str(numbers[0][1])
        for port, number in numbers:
            if port.get("name"):
                found[f"{stem}_SERVICE_PORT_{variable(port['name'])}"] = str(number)
        found |= _links(stem, ip, numbers)
    return found


def _links(stem: str, ip: str, numbers: list[tuple[Obj, int]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for i, (port, number) in enumerate(numbers):
        protocol = port.get("protocol", "TCP")
        url = f"{protocol.lower()}://{ip}:{number}"
        # The variable is named after the Service's own port, also where another number leads there.
        head = f"{stem}_PORT_{port['port']}_{protocol}"
        if i == 0:
            found[f"{stem}_PORT"] = url
        found |= {head: url, f"{head}_PROTO": protocol.lower(), f"{head}_PORT": str(number), f"{head}_ADDR": ip}
    return found


def variable(name: str) -> str:
    return name.upper().replace("-", "_").replace(".", "_")
