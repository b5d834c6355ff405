"""Services: ports, addresses, affinity, traffic policies.

In: the new service and the old one (None on create), its addresses given or not. Out: causes. Whether an address lies
in the courtyard's range is for who gives them out.
"""

import json
from typing import Any

from madang.kinds.causes import Cause
from madang.kinds.checks.faults import duplicate, each, forbidden, invalid, one_of, required
from madang.kinds.checks.labels import check_labels
from madang.kinds.checks.meta import check_meta, check_meta_update
from madang.kinds.checks.probes import check_port
from madang.kinds.names import (
    between,
    cidr,
    dns_1035_label,
    dns_label,
    dns_subdomain,
    ip_address,
    port_number,
    qualified_name,
)
from madang.ports.objects import Obj

Spec = dict[str, Any]
TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
PROTOCOLS = ("SCTP", "TCP", "UDP")
FAMILIES, FAMILY_POLICIES = ("IPv4", "IPv6"), ("PreferDualStack", "RequireDualStack", "SingleStack")
MAX_AFFINITY_S = 86400
KUBELET_PORT = 10250


def check_service(new: Obj, old: Obj | None) -> list[Cause]:
    spec = new.get("spec") or {}
    out = check_meta(new, dns_1035_label) if old is None else check_meta_update(new, old)
    if old is not None:
        out += _kept_address(spec, old.get("spec") or {})
    return out + _spec(spec)


def addresses(spec: Spec) -> list[str]:
    found = spec.get("clusterIPs") or []
    return found or ([spec["clusterIP"]] if spec.get("clusterIP") else [])


def _spec(spec: Spec) -> list[Cause]:
    kind, ports = spec.get("type", ""), spec.get("ports") or []
    headless = addresses(spec)[:1] == ["None"]
    out: list[Cause] = []
    if not ports and not headless and kind != "ExternalName":
        out.append(required("spec.ports"))
    out += _by_type(spec, kind, headless)
    names: set[str] = set()
    for i, port in enumerate(ports):
        out += _port(port, len(ports) > 1, names, f"spec.ports[{i}]")
    out += check_labels(spec.get("selector"), "spec.selector")
    out += _affinity(spec)
    if kind != "ExternalName":
        out += _addresses(spec)
    for i, address in enumerate(spec.get("externalIPs") or ()):
        out += each(f"spec.externalIPs[{i}]", address, ip_address(address))
    out += one_of("spec.type", kind, TYPES)
    out += _repeated(ports, kind)
    return out + _traffic(spec, kind)


def _by_type(spec: Spec, kind: str, headless: bool) -> list[Cause]:
    out: list[Cause] = []
    if kind == "LoadBalancer":
        for i, port in enumerate(spec.get("ports") or ()):
            if port.get("port") == KUBELET_PORT:
                words = f"may not expose port {KUBELET_PORT} externally since it is used by kubelet"
                out.append(invalid(f"spec.ports[{i}]", KUBELET_PORT, words))
    if kind in ("LoadBalancer", "NodePort") and headless:
        out.append(invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services"))
    if kind == "ExternalName":
        if addresses(spec):
            out.append(forbidden("spec.clusterIPs", "may not be set for ExternalName services"))
        name = spec.get("externalName", "").removesuffix(".")
        out += each("spec.externalName", name, dns_subdomain(name)) if name else [required("spec.externalName")]
    return out


def _port(port: Spec, needs_name: bool, names: set[str], path: str) -> list[Cause]:
    out: list[Cause] = []
    name = port.get("name", "")
    if needs_name and not name:
        out.append(required(f"{path}.name"))
    elif name:
        out += each(f"{path}.name", name, dns_label(name))
        if name in names:
            out.append(duplicate(f"{path}.name", name))
        names.add(name)
    out += each(f"{path}.port", port.get("port", 0), port_number(port.get("port", 0)))
    out += one_of(f"{path}.protocol", port.get("protocol"), PROTOCOLS)
    if (target := port.get("targetPort")) is not None:
        out += check_port(target, f"{path}.targetPort")
    if protocol := port.get("appProtocol"):
        out += each(f"{path}.appProtocol", protocol, qualified_name(protocol))
    return out


def _affinity(spec: Spec) -> list[Cause]:
    affinity, config = spec.get("sessionAffinity"), spec.get("sessionAffinityConfig")
    out = one_of("spec.sessionAffinity", affinity, ("ClientIP", "None"))
    path = "spec.sessionAffinityConfig"
    if affinity == "ClientIP":
        seconds = ((config or {}).get("clientIP") or {}).get("timeoutSeconds")
        if seconds is None:
            words = "when session affinity type is ClientIP"
            return [*out, required(path if config is None else f"{path}.clientIP.timeoutSeconds", words)]
        if not 1 <= seconds <= MAX_AFFINITY_S:
            words = f"must be greater than 0 and less than {MAX_AFFINITY_S}"
            out.append(invalid(f"{path}.clientIP.timeoutSeconds", seconds, words))
    elif affinity == "None" and config is not None:
        out.append(forbidden(path, "must not be set when session affinity is None"))
    return out


def _addresses(spec: Spec) -> list[Cause]:
    out: list[Cause] = []
    found = addresses(spec)
    for i, family in enumerate(spec.get("ipFamilies") or ()):
        out += one_of(f"spec.ipFamilies[{i}]", family, FAMILIES)
    out += one_of("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), FAMILY_POLICIES, needed=False)
    for i, address in enumerate(found):
        if address == "None":
            if len(found) > 1:
                out.append(invalid("spec.clusterIPs", found, "'None' must be the first and only value"))
            continue
        out += each(f"spec.clusterIPs[{i}]", address, ip_address(address))
    if len(found) > 2:
        out.append(invalid("spec.clusterIPs", found, "may only hold up to 2 values"))
    if spec.get("clusterIPs") and spec.get("clusterIP") not in (None, found[0]):
        out.append(invalid("spec.clusterIPs", found, "first value must match `clusterIP`"))
    return out


def _repeated(ports: list[Spec], kind: str) -> list[Cause]:
    out: list[Cause] = []
    node_ports: set[tuple[str, int]] = set()
    seen: set[tuple[str, int]] = set()
    for i, port in enumerate(ports):
        if kind == "ClusterIP" and port.get("nodePort"):
            out.append(forbidden(f"spec.ports[{i}].nodePort", "may not be used when `type` is 'ClusterIP'"))
    for i, port in enumerate(ports):
        if number := port.get("nodePort"):
            if not 1 <= number <= 65535:
                out.append(invalid(f"spec.ports[{i}].nodePort", number, between(1, 65535)))
            if (port.get("protocol", ""), number) in node_ports:
                out.append(duplicate(f"spec.ports[{i}].nodePort", number))
            node_ports.add((port.get("protocol", ""), number))
    for i, port in enumerate(ports):
        key = (port.get("protocol", ""), port.get("port", 0))
        if key in seen:
            shown = {
                "Name": "",
                "Protocol": key[0],
                "AppProtocol": None,
                "Port": key[1],
                "TargetPort": 0,
                "NodePort": 0,
            }
            text = json.dumps(shown, separators=(",", ":"))  # in the struct's own order
            out.append(Cause(f"spec.ports[{i}]", "FieldValueDuplicate", f"Duplicate value: {text}"))
        seen.add(key)
    return out


def _traffic(spec: Spec, kind: str) -> list[Cause]:
    out: list[Cause] = []
    for i, block in enumerate(spec.get("loadBalancerSourceRanges") or ()):
        if kind != "LoadBalancer":
            out.append(forbidden("spec.LoadBalancerSourceRanges", "may only be used when `type` is 'LoadBalancer'"))
            break
        out += each(f"spec.loadBalancerSourceRanges[{i}]", block, cidr(block.strip()))
    if (name := spec.get("loadBalancerClass")) is not None:
        if kind != "LoadBalancer":
            out.append(forbidden("spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'"))
        out += each("spec.loadBalancerClass", name, qualified_name(name))
    external = spec.get("externalTrafficPolicy")
    outside = kind in ("NodePort", "LoadBalancer") or bool(spec.get("externalIPs"))
    if outside:
        out += one_of("spec.externalTrafficPolicy", external, ("Cluster", "Local"))
    elif external:
        out.append(
            invalid("spec.externalTrafficPolicy", external, "may only be set for externally-accessible services")
        )
    internal = spec.get("internalTrafficPolicy")
    if internal is None and kind in ("NodePort", "LoadBalancer", "ClusterIP"):
        out.append(required("spec.internalTrafficPolicy"))
    out += one_of("spec.internalTrafficPolicy", internal, ("Cluster", "Local"), needed=False)
    allowed = ("PreferClose", "PreferSameNode", "PreferSameZone")
    return out + one_of("spec.trafficDistribution", spec.get("trafficDistribution"), allowed, needed=False)


def _kept_address(new: Spec, old: Spec) -> list[Cause]:
    """An address stays, unless the service becomes or was an ExternalName."""
    if "ExternalName" in (new.get("type"), old.get("type")):
        return []
    before, after = addresses(old), addresses(new)
    if not before:
        return []
    if not after:
        return [invalid("spec.clusterIPs[0]", after, "primary clusterIP can not be unset")]
    return [] if before[0] == after[0] else [invalid("spec.clusterIPs[0]", after, "may not change once set")]
