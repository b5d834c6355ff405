"""The calls between services as a drawing: where each box stands, which lines lead where. Pure.

In: cards, facts, what was seen of calls. Out: a frozen `Graph` in pixels, ready to be written as SVG. Lines are what
was declared (depends_on, names in the environment, routes, published ports) and what the gateway saw; a line that was
seen is drawn whole, with its rate. Columns follow the longest way from outside; a circle is cut where it closes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

from madang.web.application import OUTSIDE, Card, Load, Place, number
from madang.web.facts import Snapshot
from madang.web.lamps import Lamp

WIDE, HIGH, GAP_X, GAP_Y, EDGE = 158, 56, 92, 22, 8
MOST = 48  # boxes; more is no picture any more
LANE = 10  # of a line between boxes
Link = tuple[Place, Place]


class Way(NamedTuple):
    """Where a line passes a column by."""

    link: Link
    column: int


Stand = Place | Way
Point = tuple[int, int]


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


def graph(s: Snapshot, namespace: str, mine: list[Card], load: Load) -> Graph:
    """Who neither calls nor is called has a card, and no box."""
    links = declared(s, mine) | {
        pair for pair in load.calls if pair[1][0] == namespace and pair[0][0] in ("", namespace)
    }
    known = {(c.namespace, c.name): c for c in mine}
    links = {(a, b) for a, b in links if b in known and (a in known or a == OUTSIDE) and a != b}
    touched = sorted({end for link in links for end in link if end != OUTSIDE})
    shown = {place: known[place] for place in touched[:MOST]}
    links = {(a, b) for a, b in links if b in shown and (a in shown or a == OUTSIDE)}
    places = {end for link in links for end in link}
    return drawn(namespace, arranged(places, links), shown, links, load, len(touched) - len(shown))


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


def arranged(places: Iterable[Place], links: Iterable[Link]) -> list[list[Stand]]:
    """Columns by the longest way; in a column by where its callers stand. A line that passes a column by has a place
    in it, so that it runs between the boxes and not behind them."""
    ahead: dict[Place, list[Place]] = {p: [] for p in sorted(places)}
    for a, b in sorted(links):
        ahead[a].append(b)
    ranks = ranked(ahead)
    columns: list[list[Stand]] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    for place in ahead:
        columns[ranks[place]].append(place)
    before: dict[Stand, list[Stand]] = {}
    for a, b in sorted(links):
        last: Stand = a
        for column in range(ranks[a] + 1, ranks[b]):
            way = Way((a, b), column)
            columns[column].append(way)
            before[way] = [last]
            last = way
        before.setdefault(b, []).append(last)
    at: dict[Stand, float] = {}
    for members in columns:
        callers = {one: [at[x] for x in before.get(one, ()) if x in at] for one in members}
        members.sort(key=lambda one: (fmean(callers[one]) if callers[one] else 0.5, named(one)))
        at |= {one: (n + 0.5) / len(members) for n, one in enumerate(members)}
    return columns


def named(one: Stand) -> tuple[str, str]:
    """A line stands where what it leads to would."""
    return one.link[1] if isinstance(one, Way) else one


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
    columns: list[list[Stand]],
    shown: Mapping[Place, Card],
    links: set[Link],
    load: Load,
    more: int,
) -> Graph:
    tall = [sum(room(one) for one in column) + GAP_Y * (len(column) - 1) for column in columns]
    height = max(tall, default=0) + 2 * EDGE
    spots: dict[Stand, tuple[int, int]] = {}
    for n, column in enumerate(columns):
        y = EDGE + (height - 2 * EDGE - tall[n]) // 2
        for one in column:
            spots[one] = EDGE + n * (WIDE + GAP_X), y
            y += room(one) + GAP_Y
    boxes = tuple(box(p, shown.get(p), *spots[p]) for c in columns for p in c if not isinstance(p, Way))
    lines = tuple(line(a, b, spots, load) for a, b in sorted(links))
    width = len(columns) * (WIDE + GAP_X) - GAP_X + 2 * EDGE if columns else 0
    return Graph(namespace, max(width, 0), max(height, 0), boxes, lines, more)


def room(one: Stand) -> int:
    return LANE if isinstance(one, Way) else HIGH


def box(place: Place, one: Card | None, x: int, y: int) -> Box:
    if one is None:
        return Box("", "", "ok", "", "", x, y, people=True)
    return Box(one.id, one.name, one.lamp, f"{one.ready}/{one.wanted}", one.rate, x, y)


def line(a: Place, b: Place, spots: Mapping[Stand, tuple[int, int]], load: Load) -> Line:
    seen = load.calls.get((a, b))
    (ax, ay), (bx, by) = spots[a], spots[b]
    if bx > ax:
        ways = sorted((w for w in spots if isinstance(w, Way) and w.link == (a, b)), key=lambda w: w.column)
        path, x, y = forward((ax + WIDE, ay + HIGH // 2), [spots[w] for w in ways], (bx, by + HIGH // 2))
    else:  # backwards, or within a column: around the right side
        x1, y1, x2, y2 = ax + WIDE, ay + HIGH // 2 + 10, bx + WIDE, by + HIGH // 2 - 10
        path, x, y = f"M{x1} {y1}C{x1 + 70} {y1} {x2 + 70} {y2} {x2 + 7} {y2}", (x1 + x2) // 2, (y1 + y2) // 2
    rate = number(seen.requests) if seen and seen.requests >= 0.05 else ""
    failing = bool(seen and seen.errors >= 0.05)
    return Line(path, seen is not None, bool(rate), failing, rate, x, y, a[1], b[1])


def forward(start: Point, ways: list[Point], end: Point) -> tuple[str, int, int]:
    """(a smooth path, where its rate is written: where it runs alone, else in the middle of the gap)."""
    path, at = f"M{start[0]} {start[1]}", start
    middle = (ways[0][0] + WIDE // 2, ways[0][1] + LANE // 2) if ways else between(start, end)
    for x, top in ways:
        y = top + LANE // 2
        path += f"{curve(at, (x, y))}H{x + WIDE}"
        at = x + WIDE, y
    return path + curve(at, (end[0] - 7, end[1])), *middle


def between(a: Point, b: Point) -> Point:
    return (a[0] + b[0]) // 2, (a[1] + b[1]) // 2


def curve(a: Point, b: Point) -> str:
    bend = max(30, (b[0] - a[0]) // 2)
    return f"C{a[0] + bend} {a[1]} {b[0] - bend} {b[1]} {b[0]} {b[1]}"
