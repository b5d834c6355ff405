"""The subsets of an Endpoints object in their one form: each set of addresses once, with all the ports that it has.

In: subsets as somebody wrote or made them. Out: the same endpoints, packed as few as can be and in a stable order, as
the API stores them. An address that is not ready in one subset is not ready wherever it has the same port.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import ip_address

from madang.ports.objects import Obj

MANY = "endpoints.kubernetes.io/over-capacity"
CAPACITY = 1000
Place = tuple[bytes, str]  # the address and whose it is


def repack(subsets: Iterable[Obj]) -> list[Obj]:
    addresses: dict[Place, Obj] = {}
    ports: dict[tuple[str, str, int, str], Obj | None] = {}
    ready: dict[tuple[str, str, int, str], dict[Place, bool]] = {}
    for subset in subsets:
        for port in subset.get("ports") or (None,):
            key = _port(port)
            ports.setdefault(key, port)
            states = ready.setdefault(key, {})
            for name, good in (("addresses", True), ("notReadyAddresses", False)):
                for address in subset.get(name) or ():
                    place = _place(address)
                    addresses.setdefault(place, address)
                    states[place] = states.get(place, True) and good
    groups: dict[tuple[tuple[Place, bool], ...], list[Obj]] = {}
    for key in sorted(ready):
        port = ports[key]
        groups.setdefault(tuple(sorted(ready[key].items())), []).extend([] if port is None else [port])
    return [_subset(states, found, addresses) for states, found in sorted(groups.items(), key=lambda row: row[0])]


def _subset(states: Sequence[tuple[Place, bool]], ports: list[Obj], addresses: dict[Place, Obj]) -> Obj:
    well = [addresses[place] for place, good in states if good]
    ill = [addresses[place] for place, good in states if not good]
    found = {"addresses": well, "notReadyAddresses": ill, "ports": ports}
    return {key: value for key, value in found.items() if value}


def _port(port: Obj | None) -> tuple[str, str, int, str]:
    if port is None:
        return "", "", -1, ""
    name, app = port.get("name") or "", port.get("appProtocol") or ""
    return name, port.get("protocol") or "TCP", port.get("port") or 0, app


def _place(address: Obj) -> Place:
    packed = _packed(str(address.get("ip") or ""))
    return packed, str((address.get("targetRef") or {}).get("uid") or "")


@lru_cache(4096)
def _packed(text: str) -> bytes:
    try:
        return ip_address(text).packed
    except ValueError:  # refused a moment later, by its place
        return text.encode()


def truncated(subsets: Sequence[Obj]) -> list[Obj] | None:
    """No more than `CAPACITY` addresses, the ready ones first, each subset its share. None: all have room."""
    ready, all_ = (sum(len(s.get(n) or ()) for s in subsets for n in names) for names in (_READY, (*_READY, *_NOT)))
    if all_ <= CAPACITY:
        return None
    part, room = ("addresses", CAPACITY) if ready > CAPACITY else ("notReadyAddresses", CAPACITY - ready)
    total = ready if part == "addresses" else all_ - ready
    left, found = room, []
    for subset in subsets:
        mine = subset.get(part) or []
        share = min(-(-len(mine) * room // total), left)
        left -= min(share, len(mine))
        kept = {**subset, part: mine[:share]}
        if part == "addresses":
            kept.pop("notReadyAddresses", None)
        found.append({key: value for key, value in kept.items() if value})
    # in the form and order of the API again, and none of which nobody is left: that is refused
    return repack(subset for subset in found if subset.get("addresses") or subset.get("notReadyAddresses"))


_READY, _NOT = ("addresses",), ("notReadyAddresses",)
