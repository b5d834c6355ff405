"""Each node's part of the courtyard's network, on `bridge`: a range of pods' addresses, a bridge, an address.

In: the courtyard's addresses, which node of how many (from 1). Out: `Part`. The first node has the lower half of the
range and the bridge that a courtyard of one node has, so that its pods keep their addresses when nodes are added or
taken away; the others share the upper half in equal parts. On `loopback` all pods are in one range, and only the nodes'
own addresses differ: they are the last of it.
"""

from dataclasses import dataclass
from ipaddress import IPv4Network

from madang.ports.settings import Addresses

LARGEST = 24  # a part is never larger: 254 addresses are more than the 110 pods that a node takes


@dataclass(frozen=True, slots=True)
class Part:
    """`cidr` and `device` are empty on loopback."""

    ip: str
    cidr: str = ""
    device: str = ""

    @property
    def prefix(self) -> int:
        return IPv4Network(self.cidr).prefixlen


def part(addresses: Addresses, number: int, of: int) -> Part:
    span = IPv4Network(addresses.pod_cidr)
    if addresses.network != "bridge":
        own = addresses.gateway_ip if number == 1 else str(span[-number])
        return Part(own)
    lower, upper = span.subnets()
    if number == 1:
        return Part(addresses.gateway_ip, str(lower), addresses.device)
    others = max(of, number) - 1
    prefix = max(LARGEST, upper.prefixlen + (others - 1).bit_length())
    base = upper.network_address + (number - 2) * (1 << (32 - prefix))
    return Part(str(base + 1), f"{base}/{prefix}", f"{addresses.device}n{number}")


def parts(addresses: Addresses, of: int) -> tuple[Part, ...]:
    return tuple(part(addresses, number, of) for number in range(1, of + 1))
