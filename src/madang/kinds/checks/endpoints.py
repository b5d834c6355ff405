"""Endpoints.

In: the new object and the old one (None on create). Out: causes. As of slices, loopback addresses are taken: on a
loopback network every pod has one.
"""

from typing import Any

from madang.kinds.causes import Cause
from madang.kinds.checks.faults import each, one_of, required
from madang.kinds.checks.meta import check_meta, check_meta_update
from madang.kinds.names import dns_label, dns_subdomain, ip_address, port_number, qualified_name
from madang.ports.objects import Obj


def check_endpoints(new: Obj, old: Obj | None) -> list[Cause]:
    out = check_meta(new, dns_subdomain) if old is None else check_meta_update(new, old)
    for i, subset in enumerate(new.get("subsets") or ()):
        out += _subset(subset, f"subsets[{i}]")
    return out


def _subset(subset: dict[str, Any], path: str) -> list[Cause]:
    out: list[Cause] = []
    if not subset.get("addresses") and not subset.get("notReadyAddresses"):
        out.append(required(path, "must specify `addresses` or `notReadyAddresses`"))
    for name in ("addresses", "notReadyAddresses"):
        for i, address in enumerate(subset.get(name) or ()):
            out += _address(address, f"{path}.{name}[{i}]")
    ports = subset.get("ports") or ()
    for i, port in enumerate(ports):
        out += _port(port, len(ports) > 1, f"{path}.ports[{i}]")
    return out


def _address(address: dict[str, Any], path: str) -> list[Cause]:
    ip, host, node = (address.get(key) or "" for key in ("ip", "hostname", "nodeName"))
    out = each(f"{path}.ip", ip, ip_address(ip))
    if host:
        out += each(f"{path}.hostname", host, dns_label(host))
    if node:
        out += each(f"{path}.nodeName", node, dns_subdomain(node))
    return out


def _port(port: dict[str, Any], needs_name: bool, path: str) -> list[Cause]:
    name, number = port.get("name") or "", port.get("port") or 0
    out: list[Cause] = []
    if needs_name and not name:
        out.append(required(f"{path}.name"))
    elif name:
        out += each(f"{path}.name", name, dns_label(name))
    out += each(f"{path}.port", number, port_number(number))
    out += one_of(f"{path}.protocol", port.get("protocol"), ("SCTP", "TCP", "UDP"))
    if protocol := port.get("appProtocol"):
        out += each(f"{path}.appProtocol", protocol, qualified_name(protocol))
    return out
