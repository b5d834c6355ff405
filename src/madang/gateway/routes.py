"""Objects -> what the gateway should be: the one decision of this room, pure.

In: the committed view and the courtyard's settings. Out: `Plan`: the desired listeners, doors and backends, and the
attachments from which `conditions` writes the statuses of Gateways and routes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import NamedTuple

from madang.gateway import holding, hostports, ignored, rules, services
from madang.gateway.desired import Backend, Bind, Desired, Door, Frontend, Problem
from madang.gateway.endpoints import SERVICE_LABEL, SLICES
from madang.gateway.listeners import (
    CLASSES,
    GATEWAYS,
    GROUP,
    ROUTES,
    Listener,
    age,
    allows,
    listeners,
    ours,
)
from madang.gateway.memo import Memo, revisions
from madang.gateway.services import SERVICES, Carried
from madang.gateway.table import Entry, compile_table, intersect
from madang.ports.objects import Obj
from madang.ports.settings import Settings
from madang.ports.view import View

WATCHED = (SERVICES, SLICES, ROUTES, GATEWAYS, CLASSES, "namespaces")


@dataclass(frozen=True, slots=True)
class Attachment:
    """What became of one parentRef of one route; `reason` is of the condition Accepted."""

    route: Obj
    parent: Obj
    accepted: bool
    reason: str
    message: str
    unresolved: tuple[rules.Unresolved, ...] = ()


class House(NamedTuple):
    """A Service with what stands behind it; `stamp` changes with any of them."""

    service: Obj
    slices: Sequence[Obj]
    stamp: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Plan:
    desired: Desired
    listeners: tuple[Listener, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    classes: tuple[Obj, ...] = ()
    routes: tuple[Obj, ...] = ()
    services: tuple[Obj, ...] = ()


def routes(
    view: View,
    settings: Settings,
    memo: Memo | None = None,
    held: Desired | None = None,
    pods: Sequence[Obj] = (),
) -> Plan:
    """`memo` of the last decision makes this one cheap; it changes no answer. `held`: what is served now; without it
    the Services' statuses tell who serves. `pods`: those with host ports."""
    memo = memo or Memo()
    memo.turn()
    houses = _houses(view)
    carried = [
        memo.get(("service", *key), h.stamp, lambda h=h: services.carry(h.service, h.slices, settings))  # type: ignore[misc]
        for key, h in houses.items()
    ]
    offered = tuple(h.service for h in houses.values())
    classes = tuple(c for c in view.list(CLASSES) if c["metadata"]["name"] in ours((c,)))
    named = ours(classes)
    gateways = [g for g in view.list(GATEWAYS) if g["spec"].get("gatewayClassName") in named]
    open_ = listeners(gateways, settings)
    entries: dict[int, list[tuple[Entry, ...]]] = {}
    attachments: list[Attachment] = []
    extra: list[Backend] = []
    namespaces = view.list("namespaces")
    known = tuple(sorted(view.list(ROUTES), key=age))
    for route in known:
        compiled = _compiled(route, houses, memo)
        made = _attach(route, compiled, open_, namespaces, entries)
        attachments += made
        if any(a.accepted for a in made):
            extra += compiled.backends
    unheard = [
        problem
        for kind, objects in ((SERVICES, offered), (GATEWAYS, gateways), (CLASSES, classes))
        for problem in ignored.problems(kind, objects, memo)
    ]
    ranks = holding.ranks(offered, carried, held, pods)
    carried.append(hostports.carry(pods, settings))
    desired = _desired(carried, _doors(open_, entries, memo), extra, ranks)
    if unheard:
        desired = replace(desired, problems=(*desired.problems, *unheard))
    return Plan(desired, tuple(open_), tuple(attachments), classes, known, offered)


def _houses(view: View) -> dict[tuple[str, str], House]:
    slices = _slices(view)
    found = {}
    for service in view.list(SERVICES):
        key = (service["metadata"].get("namespace", ""), service["metadata"]["name"])
        mine = slices.get(key, [])
        found[key] = House(service, mine, revisions([service, *mine]))
    return dict(sorted(found.items()))


def _compiled(route: Obj, houses: Mapping[tuple[str, str], House], memo: Memo) -> rules.Compiled:
    """Again only if the route or a Service that it names has changed."""
    place = route["metadata"].get("namespace", "")
    named = [
        (ref.get("namespace") or place, ref.get("name", ""))
        for rule in route["spec"].get("rules") or ()
        for ref in rule.get("backendRefs") or ()
    ]
    own = revisions([route])
    stamps = tuple(houses[key].stamp if key in houses else () for key in named)
    stamp = None if own is None or None in stamps else (own, stamps)

    def find(namespace: str, name: str) -> tuple[Obj, Sequence[Obj]] | None:
        house = houses.get((namespace, name))
        return None if house is None else (house.service, house.slices)

    return memo.get(("route", place, route["metadata"]["name"]), stamp, lambda: rules.compile_route(route, find))


def _slices(view: View) -> dict[tuple[str, str], list[Obj]]:
    found: dict[tuple[str, str], list[Obj]] = {}
    for piece in view.list(SLICES):
        meta = piece["metadata"]
        name = (meta.get("labels") or {}).get(SERVICE_LABEL)
        if name and not meta.get("deletionTimestamp"):
            found.setdefault((meta.get("namespace", ""), name), []).append(piece)
    return found


def _attach(
    route: Obj,
    compiled: rules.Compiled,
    open_: Sequence[Listener],
    namespaces: Sequence[Obj],
    entries: dict[int, list[tuple[Entry, ...]]],
) -> list[Attachment]:
    result = []
    for parent in route["spec"].get("parentRefs") or ():
        mine = [li for li in open_ if _refers(parent, route, li)]
        if not mine:
            continue  # somebody else's Gateway, or none: not ours to judge
        chosen = [li for li in mine if _names(parent, li)]
        allowed = [li for li in chosen if allows(li, route, namespaces)]
        hosts = [(li, host) for li in allowed for host in _hosts(li, route)]
        unresolved = tuple(compiled.unresolved)
        for rejected, reason, message in (
            (not chosen, "NoMatchingParent", "no listener has this section name and port"),
            (not allowed, "NotAllowedByListeners", "the listener does not allow routes of this namespace"),
            (not hosts, "NoMatchingListenerHostname", "no hostname of the route is one of the listener"),
            (bool(compiled.refused), "UnsupportedValue", compiled.refused),
        ):
            if rejected:
                result.append(Attachment(route, parent, False, reason, message, unresolved))
                break
        else:
            result.append(Attachment(route, parent, True, "Accepted", "Route is accepted", unresolved))
            for listener, host in hosts:
                listener.attached.add((route["metadata"].get("namespace", ""), route["metadata"]["name"]))
                if listener.serves:
                    entries.setdefault(listener.bind.port, []).append(compiled.at(host))
    return result


def _refers(parent: Obj, route: Obj, listener: Listener) -> bool:
    meta = listener.gateway["metadata"]
    return bool(
        parent.get("group", GROUP) == GROUP
        and parent.get("kind", "Gateway") == "Gateway"
        and parent["name"] == meta["name"]
        and (parent.get("namespace") or route["metadata"].get("namespace", "")) == meta.get("namespace", "")
    )


def _names(parent: Obj, listener: Listener) -> bool:
    return parent.get("sectionName") in (None, "", listener.spec["name"]) and parent.get("port") in (
        None,
        listener.spec["port"],
    )


def _hosts(listener: Listener, route: Obj) -> list[str]:
    wanted = [h.lower() for h in route["spec"].get("hostnames") or ()]
    if not wanted:
        return [listener.host]
    return [host for one in wanted if (host := intersect(listener.host, one)) is not None]


def _doors(open_: Sequence[Listener], entries: Mapping[int, list[tuple[Entry, ...]]], memo: Memo) -> list[Door]:
    found: dict[int, Door] = {}
    for listener in open_:
        port = listener.bind.port
        if listener.serves and port not in found:
            groups = entries.get(port, [])
            # equal by identity: the same compiled routes give the same table
            table = memo.get(("door", port), groups, lambda groups=groups: compile_table(chain(*groups)))  # type: ignore[misc]
            found[port] = Door(f"door-{port}", listener.bind, *table)
    return list(found.values())


def _desired(
    carried: Sequence[Carried], doors: Sequence[Door], extra: Sequence[Backend], ranks: holding.Ranks
) -> Desired:
    problems: list[Problem] = [p for c in carried for p in c.problems]
    taken = _holders(carried, doors, ranks)
    frontends: list[Frontend] = []
    for frontend in (f for c in carried for f in c.frontends):
        binds = []
        for bind in frontend.binds:
            holder = taken[bind.name]
            if holder is bind:
                binds.append(bind)
            else:
                whose = (
                    holder.owner.name
                    if holder.owner.namespace == bind.owner.namespace
                    else f"{holder.owner.namespace}/{holder.owner.name}"
                )
                text = f"{bind.what}: {bind.host}:{bind.port} belongs to {whose} already ({holder.what})"
                problems.append(Problem(bind.owner, "PortTaken", text))
        kept = len(binds) == len(frontend.binds)  # nearly always, and then it is the same one
        frontends.append(frontend if kept else replace(frontend, binds=tuple(binds)))
    backends = {b.name: b for b in (*extra, *(b for c in carried for b in c.backends))}
    ordered = tuple(sorted(backends.values(), key=lambda b: b.name))
    rows = tuple(row for c in carried for row in c.datagrams)
    return Desired(tuple(f for f in frontends if f.binds), tuple(doors), ordered, tuple(problems), rows)


def _holders(carried: Sequence[Carried], doors: Sequence[Door], ranks: holding.Ranks) -> dict[str, Bind]:
    """Whose each address is: the front door's, else the first in rank: a newcomer must not take what serves."""
    taken = {d.bind.name: d.bind for d in doors}
    wanted = ((b, ranks[b.owner]) for one in carried for f in one.frontends for b in f.binds)
    for bind, _ in sorted(wanted, key=lambda pair: pair[1](pair[0])):
        taken.setdefault(bind.name, bind)
    return taken
