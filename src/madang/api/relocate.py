"""Services whose addresses lie outside of what the courtyard holds now are given new ones, before anything starts.

A courtyard may come up on another network than the last time, or find its range taken by a neighbour. An address is
for life where the API decides; here the ground itself has moved. In: the desk. Out: the Services rewritten, each in
one write; pods learn of it since none runs yet.
"""

import asyncio
import ipaddress
from collections.abc import Awaitable
from typing import Any

from madang.api.admit.grants import Grants
from madang.api.admit.services import PORTS, free_address, own_ports, read_ports
from madang.api.desk import Desk, durable
from madang.ports.objects import Entry, Obj
from madang.ports.settings import Settings


async def relocate(desk: Desk, first: str) -> None:
    """`first` is the Service `kubernetes`'s own address in the range of today."""
    grants = Grants(desk)
    grants.hold(("ip", first))
    waiting: list[Awaitable[Entry]] = []
    try:
        for entry in desk.store.list("services").entries:
            new = moved(desk, grants, entry.obj, first if entry.key[1:] == ("default", "kubernetes") else "")
            if new is not None:
                waiting.append(durable(desk.put(entry.key, new, entry.revision)))
        await asyncio.gather(*waiting)
    finally:
        grants.release()


def moved(desk: Desk, grants: Grants, old: Obj, address: str) -> Obj | None:
    """The Service with addresses and ports of today; None where it has them already."""
    spec, settings = old.get("spec") or {}, desk.settings
    listed: list[str] = list(spec.get("clusterIPs") or ())
    away = any(outside(settings, ip) for ip in listed)
    if not away and not strays(settings, old):
        return None
    new: dict[str, Any] = {**old, "spec": {**spec}, "metadata": {**old["metadata"]}}
    if away:
        given = address or free_address(desk, grants)
        grants.hold(("ip", given))
        new["spec"] |= {"clusterIP": given, "clusterIPs": [given]}
    notes = {k: v for k, v in (old["metadata"].get("annotations") or {}).items() if k != PORTS}
    new["metadata"].pop("annotations", None)
    if notes:
        new["metadata"]["annotations"] = notes
    if settings.addresses.network == "loopback":
        own_ports(desk, grants, new, None)
    return new


def outside(settings: Settings, ip: str) -> bool:
    return ip not in ("", "None") and ipaddress.ip_address(ip) not in ipaddress.ip_network(
        settings.addresses.service_cidr
    )


def strays(settings: Settings, service: Obj) -> bool:
    """Whether its numbers of the loopback network (annotation) are not those of this courtyard now."""
    addresses = settings.addresses
    here = range(addresses.port_base, addresses.port_base + addresses.port_count)
    numbers = read_ports(service["metadata"].get("annotations"))
    if addresses.network != "loopback":
        return bool(numbers)
    carried = bool((service.get("spec") or {}).get("ports")) and (service["spec"].get("type") != "ExternalName")
    return any(number not in here for number in numbers.values()) or (carried and not numbers)
