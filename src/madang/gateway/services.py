"""Services -> listeners and the backends behind them.

In: Services, their EndpointSlices, what the courtyard was given. Out: frontends, backends, problems. A Service has
its cluster address (on loopback with a port of its own), node ports, and the ports that it publishes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from madang.gateway import datagrams, endpoints, policies, protocols
from madang.gateway.desired import Backend, Bind, Datagram, Frontend, Mode, Owner, Problem
from madang.kinds import external_name
from madang.ports.objects import Obj
from madang.ports.parts import parts
from madang.ports.settings import DOMAIN, Settings

SERVICES = "services"
PORTS = f"{DOMAIN}/ports"


@dataclass(frozen=True, slots=True)
class Carried:
    """One Service, compiled."""

    frontends: tuple[Frontend, ...] = ()
    backends: tuple[Backend, ...] = ()
    problems: tuple[Problem, ...] = ()
    datagrams: tuple[Datagram, ...] = ()


def carry(service: Obj, slices: Sequence[Obj], settings: Settings) -> Carried:
    spec = service["spec"]
    if lost := external_name.not_followed(spec):
        return Carried(problems=(Problem(_owner(service), "NameNotFollowed", lost),))
    if spec.get("type") == "ExternalName" or spec.get("clusterIP") in (None, "", "None"):
        return Carried()
    owner = _owner(service)
    frontends: list[Frontend] = []
    backends: list[Backend] = []
    problems: list[Problem] = []
    rows: list[Datagram] = []
    for port in spec.get("ports") or ():
        if port.get("protocol", "TCP") != "TCP":
            problems += _not_tcp(owner, port, spec, settings)
            if port["protocol"] == "UDP" and settings.addresses.network == "bridge":
                rows += datagrams.of_port(service, port, slices, settings)
            continue
        name = backend_name(owner.namespace, owner.name, port["port"])
        kind = mode_of(service, port)
        binds, unnumbered = _binds(service, port, owner, settings)
        problems += unnumbered
        if binds:
            frontends += policies.frontends(Frontend(name, kind, binds, name), spec, settings)
        for node in ("", *policies.nodes(spec, settings)):
            backends += behind(service, port, slices, kind, node)
    return Carried(tuple(frontends), tuple(backends), tuple(problems), tuple(rows))


def backend_name(namespace: str, name: str, port: int) -> str:
    return f"{namespace}:{name}:{port}"


def behind(service: Obj, port: Obj, slices: Sequence[Obj], kind: Mode, node: str = "") -> list[Backend]:
    """The backends of one port: `sniff` has one for HTTP and one for everything else. `node`: of who is there alone."""
    name = policies.backend_of(backend_name(*_owner(service)[1:], port["port"]), node)
    servers = endpoints.servers(slices, port.get("name", ""), node=node)
    spec = service["spec"]
    affinity = spec.get("sessionAffinity") == "ClientIP"
    config = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
    seconds = int(config.get("timeoutSeconds") or 10800)
    modes: dict[Mode, tuple[tuple[str, Mode], ...]] = {
        "http": ((name, "http"),),
        "tcp": ((name, "tcp"),),
        "sniff": ((name, "http"), (f"{name}:tcp", "tcp")),
    }
    return [Backend(n, "tcp" if m == "tcp" else "http", servers, affinity, seconds) for n, m in modes[kind]]


def mode_of(service: Obj, port: Obj) -> Mode:
    return protocols.mode(port, service["metadata"].get("annotations") or {})


def _owner(service: Obj) -> Owner:
    return Owner(SERVICES, service["metadata"].get("namespace", ""), service["metadata"]["name"])


def _binds(service: Obj, port: Obj, owner: Owner, settings: Settings) -> tuple[tuple[Bind, ...], list[Problem]]:
    spec, number = service["spec"], port["port"]
    binds: list[Bind] = []
    problems: list[Problem] = []
    if settings.addresses.network == "bridge":
        binds.append(Bind(spec["clusterIP"], number, owner, f"port {number}", own=True))
    elif (own := _numbers(service).get(f"{number}/TCP")) is not None:
        binds.append(Bind(spec["clusterIP"], own, owner, f"port {number} (here {own})", own=True))
    else:
        text = f"port {number} has no number of its own in the annotation {PORTS}: it is not reachable by its address"
        problems.append(Problem(owner, "PortNotAllocated", text))
    if spec.get("type") == "LoadBalancer":
        binds.append(Bind(settings.listen, number, owner, f"published port {number}"))
    if spec.get("type") in ("LoadBalancer", "NodePort") and port.get("nodePort"):
        # on the nodes' own addresses: neighbours give the same numbers to their Services
        what = f"node port {port['nodePort']}"
        for node in parts(settings.addresses, settings.nodes):
            binds.append(Bind(node.ip, port["nodePort"], owner, what, near=True))
    return tuple(binds), problems


def _numbers(service: Obj) -> Mapping[str, int]:
    try:
        read = json.loads((service["metadata"].get("annotations") or {}).get(PORTS, "{}"))
    except ValueError:
        return {}
    return {str(k): v for k, v in read.items() if isinstance(v, int)} if isinstance(read, dict) else {}


def _not_tcp(owner: Owner, port: Obj, spec: Obj, settings: Settings) -> list[Problem]:
    """UDP is the kernel's on the bridge, but for the machine's own addresses."""
    protocol, loopback = port.get("protocol"), settings.addresses.network == "loopback"
    if protocol != "UDP" or loopback:
        where = "on the loopback network" if loopback else "here yet"
        text = f"port {port['port']}/{protocol}: {protocol} Services are not carried {where}: ask the pods directly"
    elif spec.get("type") == "LoadBalancer":
        text = f"published port {port['port']}/UDP is not open at {settings.listen}, but at the Service's address" + (
            f" and at node port {port['nodePort']} of each node" if port.get("nodePort") else ""
        )
    else:
        return []
    return [Problem(owner, "ProtocolNotSupported", text)]
