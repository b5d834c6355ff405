"""Whether the ports that an application publishes are open, and who keeps the others closed. Pure.

In: the Services that were applied, and what the API has of Services and Events. Out: a `Doors`: still undecided, or
decided, with a sentence for each port that stays closed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from madang.ports.objects import Obj

REASONS = ("PortTaken", "PortNotOpened", "ProtocolNotSupported")
PORT = re.compile(r"published port (\d+)")


@dataclass(frozen=True, slots=True)
class Doors:
    undecided: bool = False
    closed: tuple[str, ...] = ()


def published(objects: Iterable[Obj]) -> set[tuple[str, str]]:
    """(namespace, name) of the Services that are to be reachable from outside."""
    services = (o for o in objects if o["kind"] == "Service" and (o.get("spec") or {}).get("type") == "LoadBalancer")
    return {(o["metadata"].get("namespace", ""), o["metadata"]["name"]) for o in services}


def doors(wanted: set[tuple[str, str]], services: Iterable[Obj], events: Iterable[Obj]) -> Doors:
    """A Service without an address and without a word about why is one that the gateway has not come to yet."""
    said = latest(events)
    several = len({namespace for namespace, _ in wanted}) > 1
    undecided, closed = False, []
    for service in services:
        meta = service["metadata"]
        if (meta.get("namespace", ""), meta["name"]) not in wanted:
            continue
        ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
        if ingress and current(service, ingress):
            continue
        reason = said.get(meta.get("uid", ""))
        reason = reason if reason and concerns(service, reason) else None
        undecided |= reason is None
        whose = f"{meta['namespace']}/{meta['name']}" if several else meta["name"]
        closed.append(f"{whose}: {reason or 'its published ports are not open yet'}")
    return Doors(undecided, tuple(sorted(closed)))


def current(service: Obj, ingress: Iterable[Any]) -> bool:
    """Whether all of its ports are open; a status that tells of other ports is older than the Service's spec."""
    told = [port for point in ingress for port in point.get("ports") or ()]
    ports = {port.get("port") for port in (service.get("spec") or {}).get("ports") or ()}
    return not any(port.get("error") for port in told) and (not told or not ports or {p["port"] for p in told} >= ports)


def concerns(service: Obj, text: str) -> bool:
    """Whether a word that names a port names one that the Service still has: it may have got another since."""
    named = PORT.search(text)
    ports = [port.get("port") for port in (service.get("spec") or {}).get("ports") or ()]
    return named is None or not ports or int(named[1]) in ports


def latest(events: Iterable[Obj]) -> dict[str, str]:
    """The last word about each Service's ports, by its uid."""
    found: dict[str, tuple[str, str]] = {}
    for event in events:
        if event.get("reason") not in REASONS:
            continue
        about: Any = event.get("involvedObject") or {}
        at = str(event.get("lastTimestamp") or event.get("eventTime") or "")
        if at >= found.get(about.get("uid", ""), ("", ""))[0]:
            found[about.get("uid", "")] = (at, str(event.get("message")))
    return {uid: text for uid, (_, text) in found.items()}
