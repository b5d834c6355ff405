"""EndpointSlices of a Service -> the servers of one of its ports.

In: slices and a port's name. Out: servers in a stable order. Ready instances serve; terminating ones drain; where
none is ready, those that still serve while terminating take the traffic, as kube-proxy does it.
"""

from collections.abc import Iterable
from typing import NamedTuple

from madang.gateway.desired import Server
from madang.ports.objects import Obj

SLICES = "endpointslices.discovery.k8s.io"
SERVICE_LABEL = "kubernetes.io/service-name"


class _Seen(NamedTuple):
    ready: bool
    serving: bool
    terminating: bool


def servers(slices: Iterable[Obj], port_name: str, protocol: str = "TCP", node: str = "") -> tuple[Server, ...]:
    """`node`: only those that are there."""
    found: dict[tuple[str, str, int], _Seen] = {}
    for piece in slices:
        if piece.get("addressType", "IPv4") != "IPv4":
            continue
        for port in piece.get("ports") or ():
            if (port.get("name") or "", port.get("protocol") or "TCP") == (port_name, protocol) and port.get("port"):
                _collect(piece, int(port["port"]), found, node)
    anyone = any(seen.ready for seen in found.values())
    result = [
        Server(name, address, number, "ready" if seen.ready or (not anyone and seen.serving) else "drain")
        for (name, address, number), seen in found.items()
        if seen.ready or seen.terminating
    ]
    return tuple(sorted(result, key=lambda s: s.name))


def _collect(piece: Obj, number: int, found: dict[tuple[str, str, int], _Seen], node: str) -> None:
    for endpoint in piece.get("endpoints") or ():
        if node and endpoint.get("nodeName") != node:
            continue
        conditions = endpoint.get("conditions") or {}
        # absent means unknown, and unknown counts as ready (discovery/v1)
        ready = conditions.get("ready") is not False
        serving = conditions.get("serving", ready) is not False
        terminating = conditions.get("terminating") is True
        seen = _Seen(ready and not terminating, serving, terminating)
        pod = (endpoint.get("targetRef") or {}).get("name") or "address"
        for address in endpoint.get("addresses") or ():
            found[(f"{pod}:{address}:{number}", address, number)] = seen
