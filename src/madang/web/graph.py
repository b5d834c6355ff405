"""The calls between services as a drawing: where each box stands, which lines lead where. Pure.

In: cards, facts, what was seen of calls. Out: a frozen `Graph` in pixels, ready to be written as SVG. Lines are what
was declared (depends_on, names in the environment, routes, published ports) and what the gateway saw; a line that was
seen is drawn whole, with its rate. Columns follow the longest way from outside; a circle is cut where it closes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean

from madang.web.application import OUTSIDE, Card, Load, Place, number
from madang.web.facts import Snapshot
from madang.web.lamps import Lamp

WIDE, HIGH, GAP_X, GAP_Y, EDGE = 158, 56, 92, 22, 8
MOST = 48  # boxes; more is no picture any more
Link = tuple[Place, Place]


@dataclass(frozen=True, slots=True)
class Box:
    id: str
    name: str
    lamp: Lamp
    count: str
    rate: str
    x: int
    y: int
    people: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    path: str
    seen: bool
    busy: bool
    failing: bool
    rate: str
    x: int
    y: int
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Graph:
    """`more` services were left out of the drawing."""

    namespace: str
    width: int
    height: int
    boxes: tuple[Box, ...] = ()
    lines: tuple[Line, ...] = ()
    more: int = 0


def graphs(s: Snapshot, found: Iterable[Card], load: Load) -> tuple[Graph, ...]:
    """One an application (namespace) that has more than one service."""
    by: dict[str, list[Card]] = {}
    for one in found:
        by.setdefault(one.namespace, []).append(one)
    return tuple(graph(s, namespace, mine, load) for namespace, mine in by.items())


def graph(s: Snapshot, namespace: str, mine: list[Card], load: Load) -> Graph:
    links = declared(s, mine) | {
        pair for pair in load.calls if pair[1][0] == namespace and pair[0][0] in ("", namespace)
    }
    named = {(c.namespace, c.name): c for c in mine}
    touched = {end for link in links for end in link}
    ordered = sorted(mine, key=lambda c: ((c.namespace, c.name) not in touched, c.name))
    shown = {(c.namespace, c.name): named[c.namespace, c.name] for c in ordered[:MOST]}
    links = {(a, b) for a, b in links if b in shown and (a in shown or a == OUTSIDE) and a != b}
    places = set(shown) | ({OUTSIDE} if any(a == OUTSIDE for a, _ in links) else set())
    columns = arranged(places, links)
    return drawn(namespace, columns, shown, links, load, len(mine) - len(shown))


def declared(s: Snapshot, mine: Iterable[Card]) -> set[Link]:
    """What files say: who waits for whom, who names whom, who is reached from outside."""
    names = {c.name for c in mine}
    space = next((c.namespace for c in mine), "")
    known = {a.name: a.service for a in s.addresses if a.namespace == space} | {n: n for n in names}
    found: set[Link] = set()
    for w in s.workloads:
        if w.namespace != space:
            continue
        for other in (*w.depends_on, *w.asks):
            target = known.get(other)
            if target in names and target != w.name:
                found.add(((space, w.name), (space, str(target))))
    return found | {(OUTSIDE, (space, c.name)) for c in mine if c.public}


def arranged(places: Iterable[Place], links: Iterable[Link]) -> list[list[Place]]:
    """Columns by the longest way; in a column by where its callers stand."""
    ahead: dict[Place, list[Place]] = {p: [] for p in sorted(places)}
    for a, b in sorted(links):
        ahead[a].append(b)
    ranks = ranked(ahead)
    columns: list[list[Place]] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    for place in ahead:
        columns[ranks[place]].append(place)
    at: dict[Place, float] = {}
    for column in columns:
        callers = {p: [at[a] for a, b in links if b == p and a in at] for p in column}
        column.sort(key=lambda p: (fmean(callers[p]) if callers[p] else 0.5, p))
        at |= {p: (n + 0.5) / len(column) for n, p in enumerate(column)}
    return columns


def ranked(ahead: Mapping[Place, list[Place]]) -> dict[Place, int]:
    """The longest way to each place; a link back to a place that is still being walked closes a circle and is left
    out. Nobody calls the first column; who neither calls nor is called stands there, too."""
    order: list[Place] = []
    state: dict[Place, int] = {}
    kept: dict[Place, list[Place]] = {p: [] for p in ahead}

    def walk(start: Place) -> None:
        stack = [(start, iter(ahead[start]))]
        state[start] = 1
        while stack:
            place, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                state[place] = 2
                order.append(place)
                stack.pop()
            elif state.get(following) != 1:
                kept[place].append(following)
                if following not in state:
                    state[following] = 1
                    stack.append((following, iter(ahead[following])))

    called = {b for targets in ahead.values() for b in targets}
    for place in sorted(ahead, key=lambda p: (p != OUTSIDE, p in called, p)):
        if place not in state:
            walk(place)
    ranks = dict.fromkeys(ahead, 0)
    for place in reversed(order):
        for target in kept[place]:
            ranks[target] = max(ranks[target], ranks[place] + 1)
    return ranks


def drawn(
    namespace: str,
    columns: list[list[Place]],
    shown: Mapping[Place, Card],
    links: set[Link],
    load: Load,
    more: int,
) -> Graph:
    tallest = max((len(c) for c in columns), default=0)
    height = tallest * (HIGH + GAP_Y) - GAP_Y + 2 * EDGE
    spots: dict[Place, tuple[int, int]] = {}
    for n, column in enumerate(columns):
        own = len(column) * (HIGH + GAP_Y) - GAP_Y
        for k, place in enumerate(column):
            spots[place] = EDGE + n * (WIDE + GAP_X), EDGE + (height - 2 * EDGE - own) // 2 + k * (HIGH + GAP_Y)
    boxes = tuple(box(place, shown.get(place), *spots[place]) for column in columns for place in column)
    lines = tuple(line(a, b, spots, load) for a, b in sorted(links))
    width = len(columns) * (WIDE + GAP_X) - GAP_X + 2 * EDGE if columns else 0
    return Graph(namespace, max(width, 0), max(height, 0), boxes, lines, more)


def box(place: Place, one: Card | None, x: int, y: int) -> Box:
    if one is None:
        return Box("", "", "ok", "", "", x, y, people=True)
    return Box(one.id, one.name, one.lamp, f"{one.ready}/{one.wanted}", one.rate, x, y)


def line(a: Place, b: Place, spots: Mapping[Place, tuple[int, int]], load: Load) -> Line:
    seen = load.calls.get((a, b))
    (ax, ay), (bx, by) = spots[a], spots[b]
    if bx > ax:
        x1, y1, x2, y2 = ax + WIDE, ay + HIGH // 2, bx, by + HIGH // 2
        bend = max(36, (x2 - x1) // 2)
        path = f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2 - 7} {y2}"
    else:  # backwards, or within a column: around the right side
        x1, y1, x2, y2 = ax + WIDE, ay + HIGH // 2 + 10, bx + WIDE, by + HIGH // 2 - 10
        path = f"M{x1} {y1}C{x1 + 70} {y1} {x2 + 70} {y2} {x2 + 7} {y2}"
    rate = number(seen.requests) if seen and seen.requests >= 0.05 else ""
    return Line(
        path,
        seen is not None,
        bool(rate),
        bool(seen and seen.errors >= 0.05),
        rate,
        (x1 + x2) // 2,
        (y1 + y2) // 2,
        a[1],
        b[1],
    )
