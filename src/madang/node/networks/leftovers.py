"""What dead courtyards have left on this machine is taken away by the next that starts.

In: the claims' folders, the machine's links. Out: the ids of those that were swept. As an ordinary user only one's own.
A bridge that nobody claims any more (its claim was lost, or could not be kept) is known by its name, which has the id,
and by its alias, which has the home.
"""

import asyncio
import fcntl
import os
import socket
import struct
from collections.abc import Container, Iterator, Sequence
from ipaddress import IPv4Interface, IPv4Network
from pathlib import Path

from madang.node.networks import claims, remains
from madang.node.networks.netlink import Netlink
from madang.node.networks.teardown import ALIAS, destroy
from madang.node.runtimes import cgroup
from madang.node.volumes.volumes import sweep_memory
from madang.porch import standing
from madang.ports.locks import held
from madang.ports.settings import Addresses

GET_ADDRESS, GET_NETMASK = 0x8915, 0x891B  # ioctls of a link


async def sweep(folders: Sequence[Path] = claims.FOLDERS, *, but: str = "") -> list[str]:
    """`but`: the id of the courtyard that starts."""
    swept = []
    for kept in claims.sweep_dead(folders):
        if kept.uid == os.getuid():
            await asyncio.to_thread(remains.end, Path(kept.home))
        # Only root has bridges: what another user's file says of one is no order to root.
        if kept.addresses.network == "bridge" and kept.uid == os.getuid():
            await destroy(kept.id, kept.addresses)
        cgroup.sweep(kept.id)
        if kept.uid == os.getuid():
            sweep_memory(kept.id)
        swept.append(kept.id)
    if standing.root():
        ids = {but, *(kept.id for kept in claims.kept_claims((*folders, *claims.FOLDERS)))}
        for id, addresses in list(unclaimed(ids)):
            await destroy(id, addresses)
            cgroup.sweep(id)
            swept.append(id)
    return swept


def unclaimed(ids: Container[str]) -> Iterator[tuple[str, Addresses]]:
    """Bridges of courtyards that have none of these ids, and are over."""
    with Netlink() as outside:
        links = outside.links()
    for link in links:
        id, home = link.name.removeprefix("md-"), link.alias.removeprefix(ALIAS)
        if link.name == id or not claims.ID.fullmatch(id) or home == link.alias or id in ids:
            continue
        # who holds the home may not have come to its claim yet
        starting = held(Path(home) / "run" / "lock")
        if claims.over(Path(home)) and not starting and (pods := range_of(link.name)) is not None:
            services = next(half for half in pods.supernet().subnets() if half != pods)
            yield id, Addresses("bridge", str(pods), str(services), str(pods[1]), device=link.name)


def range_of(device: str) -> IPv4Network | None:
    """The addresses behind a bridge; None where it has none yet."""
    request = struct.pack("16s16x", device.encode())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            found = [fcntl.ioctl(asked, number, request)[20:24] for number in (GET_ADDRESS, GET_NETMASK)]
        except OSError:
            return None
    address, mask = (socket.inet_ntoa(one) for one in found)
    return IPv4Interface(f"{address}/{mask}").network
