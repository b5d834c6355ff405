"""EndpointSlices.

In: the new slice and the old one (None on create). Out: causes. One rule of the API is left out on purpose: it
refuses loopback addresses, and on a loopback network every pod has one.
"""

from typing import Any

from madang.kinds.causes import Cause
from madang.kinds.checks.faults import duplicate, each, immutable, one_of, required, too_many
from madang.kinds.checks.meta import check_meta, check_meta_update
from madang.kinds.names import dns_label, dns_subdomain, ip_address, ip_family, port_number, qualified_name
from madang.ports.objects import Obj

MAX_ENDPOINTS, MAX_ADDRESSES, MAX_PORTS = 1000, 100, 20_000


def check_endpoint_slice(new: Obj, old: Obj | None) -> list[Cause]:
    out = check_meta(new) if old is None else check_meta_update(new, old)
    kind = new.get("addressType", "")
    out += one_of("addressType", kind, ("FQDN", "IPv4", "IPv6"))
    out += _endpoints(new.get("endpoints") or [], kind) + _ports(new.get("ports") or [])
    return out if old is None else out + immutable("addressType", kind, old.get("addressType", ""))


def _endpoints(endpoints: list[dict[str, Any]], kind: str) -> list[Cause]:
    if len(endpoints) > MAX_ENDPOINTS:
        return [too_many("endpoints", len(endpoints), MAX_ENDPOINTS)]
    out: list[Cause] = []
    for i, endpoint in enumerate(endpoints):
        path = f"endpoints[{i}]"
        addresses = endpoint.get("addresses") or []
        if not addresses:
            out.append(required(f"{path}.addresses", "must contain at least 1 address"))
        elif len(addresses) > MAX_ADDRESSES:
            out.append(too_many(f"{path}.addresses", len(addresses), MAX_ADDRESSES))
        for j, address in enumerate(addresses):
            out += _address(address, kind, f"{path}.addresses[{j}]")
        if node := endpoint.get("nodeName"):
            out += each(f"{path}.nodeName", node, dns_subdomain(node))
        if host := endpoint.get("hostname"):
            out += each(f"{path}.hostname", host, dns_label(host))
    return out


def _address(address: str, kind: str, path: str) -> list[Cause]:
    if kind == "FQDN":
        return each(path, address, dns_subdomain(address))
    if faults := ip_address(address):
        return each(path, address, faults)
    return [] if ip_family(address) == kind else each(path, address, (f"must be an {kind} address",))


def _ports(ports: list[dict[str, Any]]) -> list[Cause]:
    if len(ports) > MAX_PORTS:
        return [too_many("ports", len(ports), MAX_PORTS)]
    out: list[Cause] = []
    names: set[str] = set()
    for i, port in enumerate(ports):
        path = f"ports[{i}]"
        name = port.get("name") or ""
        if name:
            out += each(f"{path}.name", name, dns_label(name))
        if name in names:
            out.append(duplicate(f"{path}.name", name))
        names.add(name)
        if (number := port.get("port")) is not None:
            out += each(f"{path}.port", number, port_number(number))
        out += one_of(f"{path}.protocol", port.get("protocol"), ("SCTP", "TCP", "UDP"))
        if protocol := port.get("appProtocol"):
            out += each(f"{path}.appProtocol", protocol, qualified_name(protocol))
    return out
