"""Peers by name on a machine where every Service has a port number of its own.

In: a value of a container's environment, the Services. Out: the value with `cart:8000` (or `cart.shop.svc:8000`) as
the address and number under which that port is really reached; other text stays as it is.
"""

import re
from collections.abc import Iterable, Mapping

from madang.node.names.hosts import by_key, meant, service_names
from madang.node.names.service_ports import service_port
from madang.ports.objects import Obj

Places = Mapping[tuple[str, int], str]  # (name, port) -> address:number
_NAME = re.compile(r"(?<![\w.@-])([A-Za-z0-9_][\w.-]*):(\d{1,5})(?!\d)")


def places(services: Iterable[Obj], namespace: str) -> Places:
    """What is reached elsewhere than its name and port say."""
    found: dict[tuple[str, int], str] = {}
    services = list(services)
    known = by_key(services)
    for service in services:
        target = meant(service, known)
        if target is None:
            continue
        ip = target["spec"].get("clusterIP") or "None"
        for port in target["spec"].get("ports") or () if ip != "None" else ():
            number = service_port(target, port)
            if port.get("protocol", "TCP") == "TCP":
                found |= {(name, port["port"]): f"{ip}:{number}" for name in service_names(service, namespace)}
    return found


def reached(value: str, known: Places) -> str:
    def real(found: re.Match[str]) -> str:
        return known.get((found.group(1), int(found.group(2))), found.group(0))

    # In a URL the user stands before the host: USER:PASSWORD@HOST:PORT.
    return _NAME.sub(real, value) if "@" not in value else _after_user(value, known)


def _after_user(value: str, known: Places) -> str:
    head, at, tail = value.rpartition("@")
    return head + at + reached(tail, known)
