"""What a pod asks of a node: amounts of each resource, and ports of the node itself.

In: a pod. Out: floats by resource (cpu in cores/1000, all else in units), host ports. Init containers run one after
the other, so the largest counts; sidecars (init, restartPolicy Always) run on, so they add up (kubernetes
component-helpers resource.PodRequests).
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from madang.kinds.quantity import parse
from madang.ports.objects import Obj

CPU, MEMORY, PODS = "cpu", "memory", "pods"
Amounts = dict[str, float]


class HostPort(NamedTuple):
    ip: str
    protocol: str
    port: int

    def meets(self, other: "HostPort") -> bool:
        same = self.port == other.port and self.protocol == other.protocol
        return same and (self.ip == other.ip or "0.0.0.0" in (self.ip, other.ip))


def amounts(given: Mapping[str, str] | None) -> Amounts:
    return {name: amount(name, str(text)) for name, text in (given or {}).items()}


def amount(resource: str, text: str) -> float:
    quantity = parse(text)
    return float(quantity.millis if resource == CPU else quantity.value)


def add(total: Amounts, more: Mapping[str, float]) -> Amounts:
    for name, value in more.items():
        total[name] = total.get(name, 0.0) + value
    return total


def largest(one: Amounts, other: Mapping[str, float]) -> Amounts:
    for name, value in other.items():
        one[name] = max(one.get(name, 0.0), value)
    return one


def asked(container: Obj) -> Amounts:
    return amounts((container.get("resources") or {}).get("requests"))


def pod_requests(pod: Obj) -> Amounts:
    """Without `pods` itself, which every pod takes one of."""
    spec = pod["spec"]
    total: Amounts = {}
    for container in spec.get("containers") or ():
        add(total, asked(container))
    sidecars: Amounts = {}
    first: Amounts = {}  # the most that is needed while init containers run
    for container in spec.get("initContainers") or ():
        if container.get("restartPolicy") == "Always":
            add(total, asked(container))
            add(sidecars, asked(container))
            largest(first, sidecars)
        else:
            largest(first, add(dict(sidecars), asked(container)))
    largest(total, first)
    total |= amounts((spec.get("resources") or {}).get("requests"))  # what the whole pod asks for stands above
    return add(total, amounts(spec.get("overhead")))


def host_ports(pod: Obj) -> tuple[HostPort, ...]:
    return tuple(
        HostPort(port.get("hostIP") or "0.0.0.0", port.get("protocol", "TCP"), int(port["hostPort"]))
        for container in containers(pod["spec"])
        for port in container.get("ports") or ()
        if port.get("hostPort")
    )


def containers(spec: Obj) -> Iterable[Obj]:
    yield from spec.get("containers") or ()
    yield from (c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always")
