"""Which addresses and ports a new courtyard gets: the first free ones from a start that its id gives.

In: the courtyard's id, what others hold, what the machine uses already. Out: `Addresses`. So two courtyards seldom
begin at the same place, and the same one usually gets the same again.
"""

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import TypeVar

from madang.node.networks import sockets
from madang.node.networks.diag import Listener
from madang.porch import standing
from madang.ports.settings import Addresses, NetworkName

Net = ipaddress.IPv4Network
T = TypeVar("T")
BLOCKS = range(64, 250)  # second byte of 127.B.0.0/16
PORTS = range(10_000, 32_000, 1_000)  # below the kernel's own range for outgoing connections
SUBNETS = [Net(f"10.{a}.{b}.0/19") for a in range(80, 240) for b in range(0, 256, 32)]


def pick(
    id: str,
    network: NetworkName,
    others: Sequence[Addresses],
    before: Addresses | None = None,
    *,
    running: bool = False,
) -> Addresses:
    """`before` is what this courtyard had the last time: what it keeps (the addresses of its services) is of that,
    so it gets it again unless somebody else has it now. `running`: who listens there may be itself."""
    if before is not None and before.network == network and _still_free(id, before, others, running):
        return replace(before, device=f"md-{id}" if network == "bridge" else "")
    return _bridge(id, others) if network == "bridge" else _loopback(id, others)


def _still_free(id: str, before: Addresses, others: Sequence[Addresses], running: bool) -> bool:
    mine = nets(before)
    held = [net for one in others for net in nets(one)]
    if before.network == "bridge":
        held += routes(but=f"md-{id}")
    elif not running and any(IPv4Address(one.ip) in net for one in _here() for net in mine):
        return False
    ports = {one.port_base for one in others if one.port_count}
    return not any(net.overlaps(other) for net in mine for other in held) and before.port_base not in ports


def _here() -> list[Listener]:
    return [one for one in sockets.listeners() if ":" not in one.ip]


def nets(addresses: Addresses) -> list[Net]:
    return [Net(addresses.pod_cidr), Net(addresses.service_cidr)]


def _loopback(id: str, others: Sequence[Addresses]) -> Addresses:
    listening = list(sockets.listeners())
    held = {one.pod_cidr.split(".")[1] for one in others if one.network == "loopback"}
    held |= {one.ip.split(".")[1] for one in listening if one.ip.startswith("127.")}
    block = _first(id, BLOCKS, lambda block: str(block) not in held, "127.x block")
    bases = {one.port_base for one in others if one.port_count}
    bases |= {one.port // 1000 * 1000 for one in listening}
    base = _first(id, PORTS, lambda base: base not in bases, "range of 1000 ports")
    return Addresses(
        network="loopback",
        pod_cidr=f"127.{block}.0.0/17",
        service_cidr=f"127.{block}.128.0/17",
        gateway_ip=f"127.{block}.0.1",
        port_base=base,
        port_count=1000,
    )


def _bridge(id: str, others: Sequence[Addresses]) -> Addresses:
    held = [net for one in others for net in nets(one)] + list(routes(but=f"md-{id}"))
    subnet = _first(id, SUBNETS, lambda net: not any(net.overlaps(other) for other in held), "subnet in 10/8")
    pods, services = subnet.subnets()
    return Addresses(
        network="bridge",
        pod_cidr=str(pods),
        service_cidr=str(services),
        gateway_ip=str(pods.network_address + 1),
        device=f"md-{id}",
    )


def routes(table: Path | None = None, *, but: str = "") -> Iterable[Net]:
    """Where the machine's traffic already goes, the default route aside, and that by the bridges of `but`. Seen from
    inside, the machine's is the porch's."""
    table = table or Path(f"/proc/{standing.told()['pid'] if standing.inside() else 'self'}/net/route")
    try:
        lines = table.read_text().splitlines()[1:]
    except OSError:
        return
    for line in lines:
        fields = line.split()
        target, mask = (int(fields[i], 16).to_bytes(4, "little") for i in (1, 7))
        if any(mask) and not (but and (fields[0] == but or fields[0].startswith(f"{but}n"))):
            yield Net((int.from_bytes(target, "big"), bin(int.from_bytes(mask, "big")).count("1")))


def _first(id: str, all: Sequence[T], free: Callable[[T], bool], what: str) -> T:
    """The first free one, from the place on that the id gives: what others hold seldom changes it."""
    start = int(id, 16) % len(all)
    for one in (*all[start:], *all[:start]):
        if free(one):
            return one
    raise OSError(28, f"no free {what} is left on this machine: stop another courtyard")
