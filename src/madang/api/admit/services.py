"""What a Service is given: addresses, node ports, and the ports of its own where the network is loopback.

In: the Service (changed in place), the old one on update. Out: nothing; what was taken is held by the grants. An
address or port asked for that cannot be had is the API's 422.
"""

import ipaddress
from typing import Any

import orjson

from madang.api.admit.grants import Grants
from madang.api.desk import Desk
from madang.kinds.causes import Cause
from madang.kinds.checks import status
from madang.kinds.checks.faults import invalid
from madang.ports.errors import Invalid, StatusError
from madang.ports.objects import Obj
from madang.ports.settings import DOMAIN

NODE_PORTS = range(30000, 32768)
PORTS = f"{DOMAIN}/ports"


def admit(desk: Desk, grants: Grants, new: Obj, old: Obj | None) -> None:
    spec = new.get("spec")
    if not isinstance(spec, dict):
        return
    before = (old or {}).get("spec") or {}
    if spec.get("type", "ClusterIP") == "ExternalName":
        for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if old is not None:
                spec.pop(name, None)
        return
    _addresses(desk, grants, new, spec, before)
    _node_ports(desk, grants, new, spec, before)
    if desk.settings.addresses.network == "loopback":
        own_ports(desk, grants, new, old)


def _addresses(desk: Desk, grants: Grants, new: Obj, spec: Obj, before: Obj) -> None:
    """The address stays for life; a headless Service has none."""
    had = before.get("clusterIPs") or ()
    asked = spec.get("clusterIP") or (spec.get("clusterIPs") or [""])[0] or (had[0] if had else "")
    if not asked:
        asked = free_address(desk, grants)
        grants.hold(("ip", asked))
    elif asked != "None" and asked not in had and _is_address(asked):
        _take_address(desk, grants, new, asked)
    spec["clusterIP"] = asked
    spec["clusterIPs"] = list(spec.get("clusterIPs") or [asked])
    if spec["clusterIPs"][0] == "":
        spec["clusterIPs"][0] = asked
    if asked == "None" or _is_address(asked):
        spec.setdefault("ipFamilies", before.get("ipFamilies") or ["IPv4"])
        spec.setdefault("ipFamilyPolicy", before.get("ipFamilyPolicy") or "SingleStack")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _take_address(desk: Desk, grants: Grants, new: Obj, asked: str) -> None:
    net = ipaddress.ip_network(desk.settings.addresses.service_cidr)
    why = ""
    if ipaddress.ip_address(asked) not in net:
        why = f"the provided IP ({asked}) is not in the valid range. The range of valid IPs is {net}"
    elif not grants.free(("ip", asked)):
        why = "provided IP is already allocated"
    if why:
        raise _refused(new, invalid("spec.clusterIPs", [asked], f"failed to allocate IP {asked}: {why}"))
    grants.hold(("ip", asked))


def free_address(desk: Desk, grants: Grants) -> str:
    """The next free one behind the last given, so that a freed address is not taken over at once."""
    net = ipaddress.ip_network(desk.settings.addresses.service_cidr)
    size = net.num_addresses
    reserved = 10  # the first ones are for the house: default/kubernetes is the first
    for step in range(size):
        at = reserved + (desk.next_address + step) % max(1, size - reserved - 1)
        address = str(net.network_address + at)
        if grants.free(("ip", address)):
            desk.next_address += step + 1
            return address
    raise StatusError(f"failed to allocate a serviceIP: range {net} is full")


def _node_ports(desk: Desk, grants: Grants, new: Obj, spec: Obj, before: Obj) -> None:
    kind = spec.get("type", "ClusterIP")
    wanted = kind == "NodePort" or (kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts", True))
    ports: list[Obj] = spec.get("ports") or []
    had = {_port_key(port): port.get("nodePort") for port in before.get("ports") or () if port.get("nodePort")}
    mine = set(had.values())
    if not wanted:
        for port in ports:
            if port.get("nodePort") in mine and kind == "ClusterIP":
                port.pop("nodePort", None)
        return
    for index, port in enumerate(ports):
        asked = port.get("nodePort") or had.get(_port_key(port))
        if asked in mine:
            port["nodePort"] = asked
            continue
        port["nodePort"] = _node_port(desk, grants, new, index, asked)


def _node_port(desk: Desk, grants: Grants, new: Obj, index: int, asked: Any) -> int:
    if asked is not None and grants.dry_run:
        return int(asked)
    if asked:
        if asked in NODE_PORTS and grants.free(("nodeport", str(asked))):
            grants.hold(("nodeport", str(asked)))
            return int(asked)
        where = f"spec.ports[{index}].nodePort"
        why = (
            "provided port is already allocated"
            if asked in NODE_PORTS
            else "provided port is not in the valid range. The range of valid ports is 30000-32767"
        )
        raise _refused(new, invalid(where, asked, why))
    for step in range(len(NODE_PORTS)):
        number = NODE_PORTS[(desk.next_node_port + step) % len(NODE_PORTS)]
        if grants.free(("nodeport", str(number))):
            desk.next_node_port += step + 1
            grants.hold(("nodeport", str(number)))
            return number
    raise StatusError("failed to allocate a nodePort: range is full")


def own_ports(desk: Desk, grants: Grants, new: Obj, old: Obj | None) -> None:
    """{"80/TCP": 23017}: on loopback all Services share the machine's addresses, so each port has its own number."""
    meta = new["metadata"]
    had = read_ports((old or {}).get("metadata", {}).get("annotations"))
    found: dict[str, int] = {}
    for port in new["spec"].get("ports") or ():
        key = f"{port.get('port')}/{port.get('protocol', 'TCP')}"
        found[key] = had[key] if key in had else _own_port(desk, grants)
    annotations = dict(meta.get("annotations") or {})
    if found:
        annotations[PORTS] = orjson.dumps(found).decode()
    else:
        annotations.pop(PORTS, None)
    if annotations:
        meta["annotations"] = annotations


def _own_port(desk: Desk, grants: Grants) -> int:
    base, count = desk.settings.addresses.port_base, desk.settings.addresses.port_count
    for step in range(count):
        number = base + (desk.next_port + step) % count
        if grants.free(("port", str(number))):
            desk.next_port += step + 1
            grants.hold(("port", str(number)))
            return number
    raise StatusError(f"no port left for a Service: {base} to {base + count - 1} are all taken")


def read_ports(annotations: Obj | None) -> dict[str, int]:
    text = (annotations or {}).get(PORTS)
    try:
        found = orjson.loads(text) if text else {}
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _port_key(port: Obj) -> tuple[Any, Any]:
    return port.get("port"), port.get("protocol", "TCP")


def _refused(new: Obj, cause: Cause) -> Invalid:
    return status.invalid("Service", "", new["metadata"].get("name", ""), [cause])
