"""Taking down all that the bridge network of one courtyard has made, known by its id alone.

In: an id and its addresses. Out: a machine without its links, namespaces, routes, rules and mounts. For a courtyard
that stops, and for one that is dead and can't any more.
"""

from collections.abc import Callable
from contextlib import suppress

from madang.node.networks import masquerade, namespaces
from madang.node.networks.netlink import Netlink
from madang.ports.settings import Addresses

ALIAS = "madang "  # of every bridge, and then its courtyard's home


def group(id: str) -> int:
    """A number for the links of one courtyard; 0 is everybody else's."""
    return int(id, 16) + (1 << 24)


def more(id: str) -> str:
    """How the names of the bridges begin that nodes beside the first have."""
    return f"md-{id}n"


async def destroy(id: str, addresses: Addresses) -> None:
    """Everything that the courtyard of this id has made, found by its id alone."""
    await namespaces.in_thread(lambda: _destroy(id, addresses))


def _destroy(id: str, addresses: Addresses) -> None:
    """A step that fails does not keep the others from being taken; its fault is raised in the end."""
    faults: list[OSError] = []
    with Netlink() as outside:
        steps: list[Callable[[], object]] = [
            lambda: outside.delete_group(group(id), f"md{id}v"),
            lambda: namespaces.clear(namespaces.place() / id),
            lambda: outside.local_route(addresses.service_cidr, add=False),
            lambda: _close(id, outside),
        ]
        for step in steps:
            try:
                step()
            except OSError as error:
                faults.append(error)
    for folder in (namespaces.place(), namespaces.place().parent):
        with suppress(OSError):
            folder.rmdir()
    if faults:
        raise faults[0]


def _close(id: str, outside: Netlink) -> None:
    with masquerade.forwarding():
        for link in outside.links():
            if link.name.startswith(more(id)):
                outside.delete(link.name)
        outside.delete(f"md-{id}")
        last = not any(link.name.startswith("md-") for link in outside.links())
        masquerade.close_way(id, last=last)
