"""Traffic policies: whether a caller is led to any instance, or to those of its own node alone (`Local`).

In: a Service's spec, the courtyard's nodes. Out: which nodes have backends of their own, who is led to which. A caller
is known by its address, since each node has a range; the machine itself, and what runs on its network, counts as the
first node. In a courtyard of one node, and on loopback, where nodes share a range, both policies say the same.
"""

from dataclasses import replace

from madang.gateway.desired import Frontend
from madang.ports.objects import Obj
from madang.ports.parts import parts
from madang.ports.settings import Settings


def internal(spec: Obj, settings: Settings) -> bool:
    return _several(settings) and spec.get("internalTrafficPolicy") == "Local"


def external(spec: Obj, settings: Settings) -> bool:
    """Of node ports; a published port is led to all instances, as a load balancer before the nodes would."""
    return _several(settings) and spec.get("externalTrafficPolicy") == "Local"


def _several(settings: Settings) -> bool:
    return settings.nodes > 1 and settings.addresses.network == "bridge"


def nodes(spec: Obj, settings: Settings) -> list[str]:
    """The nodes that have a backend of their own."""
    wanted = internal(spec, settings) or external(spec, settings)
    return [f"node-{n}" for n in range(1, settings.nodes + 1)] if wanted else []


def backend_of(name: str, node: str) -> str:
    return f"{name}:{node}" if node else name


def callers(settings: Settings) -> list[tuple[str, str]]:
    """(range, node). The machine asks a Service from the Service's own address."""
    found = [(part.cidr, f"node-{n}") for n, part in enumerate(parts(settings.addresses, settings.nodes), 1)]
    return [*found, (settings.addresses.service_cidr, "node-1")]


def frontends(one: Frontend, spec: Obj, settings: Settings) -> list[Frontend]:
    """One Service port's, divided where its addresses are led to different instances."""
    found: list[Frontend] = []
    rest = one
    if external(spec, settings):
        for number, part in enumerate(parts(settings.addresses, settings.nodes), 1):
            node = f"node-{number}"
            if mine := tuple(bind for bind in one.binds if bind.near and bind.host == part.ip):
                found.append(replace(one, name=f"{one.name}:{node}", binds=mine, backend=backend_of(one.backend, node)))
        rest = replace(rest, binds=tuple(bind for bind in rest.binds if not bind.near))
    if internal(spec, settings):
        others = tuple(bind for bind in rest.binds if not bind.own)
        if others:
            found.append(replace(rest, name=f"{one.name}:published", binds=others))
        near = tuple((source, backend_of(one.backend, node)) for source, node in callers(settings))
        rest = replace(rest, binds=tuple(bind for bind in rest.binds if bind.own), near=near)
    return [rest, *found] if rest.binds else found
