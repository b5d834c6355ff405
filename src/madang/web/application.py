"""The application as cards: services with their instances, addresses, load and scaling, and what happened. Pure.

In: a `Snapshot` and a `Load` (what runs past the store: samples, the gateway's rates). Out: frozen values, each the
whole content of one fragment of the page: a fragment is sent again exactly when its value is another.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from heapq import nlargest

from madang.web.facts import HOUSE, Address, Happening, Instance, Scaler, Snapshot, Workload
from madang.web.lamps import Lamp, outward
from madang.web.text import Text, same
from madang.web.words import say

ROWS = 12  # instances shown of one service; the rest is counted
DOTS = 60  # above that, a bar says it
RECENT = 14
SERVICES = 120  # cards shown of one application
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Rate:
    """Of one Service or one call, per second."""

    requests: float = 0.0
    errors: float = 0.0
    response_ms: int = 0
    seen: bool = False  # that there ever was a request


@dataclass(frozen=True, slots=True)
class Load:
    """`calls` by (source, target), both services; a source of nobody's is `OUTSIDE`. `uses` is (cores, bytes)."""

    rates: Mapping[Place, Rate] = field(default_factory=dict)
    calls: Mapping[tuple[Place, Place], Rate] = field(default_factory=dict)
    uses: Mapping[Place, tuple[float, int]] = field(default_factory=dict)
    held: Mapping[tuple[str, str, str], tuple[float, int]] = field(default_factory=dict)  # the same of each container


OUTSIDE: Place = ("", "")


@dataclass(frozen=True, slots=True)
class Row:
    """An instance, as one line."""

    name: str
    lamp: Lamp
    state: str
    why: str
    node: str
    address: str
    restarts: int
    since: str


@dataclass(frozen=True, slots=True)
class Card:
    """A service. `groups` counts instances by lamp, all of them; `rows` are the first, the ill ones before the well."""

    namespace: str
    name: str
    kind: str
    lamp: Lamp
    state: Text
    reason: Text
    ready: int
    wanted: int
    restarts: int
    outside: tuple[str, ...]
    inside: str
    public: bool
    cpu_millis: int
    memory_mib: int
    rate: str
    failing: str
    response_ms: int
    scaler: Scaler | None
    groups: tuple[tuple[Lamp, int], ...]
    rows: tuple[Row, ...]
    more: int

    @property
    def id(self) -> str:
        return f"svc-{ident(self.namespace, self.name)}"

    @property
    def dots(self) -> int:
        return sum(count for _, count in self.groups)

    @property
    def changeable(self) -> bool:
        return self.kind == "Deployment"


@dataclass(frozen=True, slots=True)
class Listing:
    """Which cards there are, by application: the part of the page that changes when one comes or goes."""

    projects: tuple[tuple[str, tuple[str, ...]], ...]  # (namespace, names)
    more: int = 0


@dataclass(frozen=True, slots=True)
class GroundRow:
    """A node: what is given away of it, in per cent."""

    name: str
    lamp: Lamp
    reason: Text
    pods: int
    cpu: int
    memory: int


def ident(namespace: str, name: str) -> str:
    """For ids and event names: Kubernetes' names have letters, digits, `-` and `.` only; `_` cannot collide."""
    return f"{namespace}_{name}".replace(".", "_.")


def cards(s: Snapshot, load: Load) -> tuple[Card, ...]:
    mine: dict[Place, list[Instance]] = {}
    for one in s.instances:
        mine.setdefault((one.namespace, one.service), []).append(one)
    addresses: dict[Place, list[Address]] = {}
    for address in s.addresses:
        addresses.setdefault((address.namespace, address.service), []).append(address)
    scalers = {(x.namespace, x.service): x for x in s.scalers}
    public = outward(s)
    found: dict[Place, Card] = {}
    for w in s.workloads:
        place = w.namespace, w.name
        if w.namespace not in HOUSE and place not in found:
            found[place] = card(
                w, mine.get(place, ()), addresses.get(place, ()), scalers.get(place), place in public, load
            )
    return tuple(found[place] for place in sorted(found))


def card(
    w: Workload,
    instances: Iterable[Instance],
    addresses: Iterable[Address],
    scaler: Scaler | None,
    public: bool,
    load: Load,
) -> Card:
    place = w.namespace, w.name
    living = [i for i in instances if not (i.ended and w.kind == "Deployment")]
    rows = sorted((row(i) for i in living), key=lambda r: (ORDER[r.lamp], r.name))
    lamp, state, reason = health(w, living)
    cpu, memory = load.uses.get(place, (0.0, 0))
    rate = load.rates.get(place, Rate())
    groups = Counter(r.lamp for r in rows)
    return Card(
        w.namespace,
        w.name,
        w.kind,
        lamp,
        state,
        reason,
        w.ready,
        w.wanted,
        sum(i.restarts for i in living),
        tuple(dict.fromkeys(o for a in addresses for o in a.outside)),
        next((f"{a.inside}:{a.ports[0]}" for a in addresses if a.inside and a.ports and not a.outside), ""),
        public,
        round(cpu * 1000, -1 if cpu > 0.02 else 0).__int__(),
        round(memory / 2**20),
        number(rate.requests) if rate.seen else "",
        number(rate.errors) if rate.errors else "",
        rate.response_ms if rate.requests else 0,
        scaler,
        tuple((lamp, groups[lamp]) for lamp in ORDER if groups[lamp]),
        tuple(rows[:ROWS]),
        max(0, len(rows) - ROWS),
    )


ORDER: Mapping[Lamp, int] = {"failed": 0, "busy": 1, "ok": 2, "absent": 3}


def row(i: Instance) -> Row:
    state, why = i.state, i.why
    lamp: Lamp = "ok" if i.ready else "busy"
    if i.leaving or i.phase == "Succeeded":
        lamp = "absent"
    elif i.struggling or (i.homeless and not i.node):
        lamp, why = "failed", why or i.homeless
    elif not i.ready:
        why = why or i.waits
    return Row(i.name, lamp, state, why, i.node, i.address, i.restarts, i.since)


def health(w: Workload, instances: Iterable[Instance]) -> tuple[Lamp, Text, Text]:
    """A service's lamp, its state in a word, and what keeps it from being ready."""
    late = [i for i in instances if not i.ready and not i.leaving and not i.ended]
    reason = next((same(i.why or i.homeless) for i in late if i.why or i.homeless), same(""))
    waits = next((i.waits for i in late if i.waits), "")
    if w.over:
        return ("ok" if w.over == "Complete" else "failed"), say("done" if w.over == "Complete" else "failed"), reason
    if w.kind == "Deployment" and not w.wanted:
        return "absent", say("stopped"), same("")
    if w.gave_up or any(i.struggling for i in late):
        return "failed", say("failing"), reason
    if waits:
        return "busy", say("waits"), say("waits for", names=waits)
    if w.kind == "Job":
        return "busy", say("runs"), reason
    if w.ready < w.wanted:
        return ("failed" if any(i.homeless and not i.node for i in late) else "busy"), say("starting"), reason
    if w.updating:
        return "busy", say("changing"), reason
    return "ok", say("ready"), same("")


def listing(found: Iterable[Card]) -> Listing:
    projects: dict[str, list[str]] = {}
    count = more = 0
    for one in found:
        if count >= SERVICES:
            more += 1
            continue
        projects.setdefault(one.namespace, []).append(one.name)
        count += 1
    return Listing(tuple((namespace, tuple(names)) for namespace, names in projects.items()), more)


def recent(happenings: Iterable[Happening]) -> tuple[Happening, ...]:
    """The newest first, of the user's namespaces and of nodes."""
    theirs = (h for h in happenings if h.namespace not in HOUSE)
    return tuple(nlargest(RECENT, theirs, key=lambda h: (h.at, h.name)))


def grounds(s: Snapshot) -> tuple[GroundRow, ...]:
    found = []
    for g in s.grounds:
        here = [i for i in s.instances if i.node == g.name and not i.ended]
        cpu = 100 * sum(i.cpu_millis for i in here) / g.cpu_millis if g.cpu_millis else 0
        memory = 100 * sum(i.memory_bytes for i in here) / g.memory_bytes if g.memory_bytes else 0
        lamp: Lamp = "failed" if not g.ready else "busy" if g.low or g.closed else "ok"
        if not g.ready:
            reason = say("node away", name=g.name)
        elif g.closed:
            reason = say("node closed", name=g.name)
        else:
            reason = same(g.low)
        found.append(GroundRow(g.name, lamp, reason, len(here), round(cpu), round(memory)))
    return tuple(found)


def number(value: float) -> str:
    """A rate as a person reads it, coarse enough not to flicker."""
    if value >= 100:
        return f"{round(value, -1):.0f}"
    if value >= 10:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 0.05 else "0"
