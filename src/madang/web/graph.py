"""The calls between the services of an application: who is in the picture, and which lines there are. Pure.

In: cards, facts, what was seen of calls. Out: a frozen `Graph`, the same drawing twice: broad, and upright for a phone.
Lines are what was declared (depends_on, names in the environment, routes, published ports) and what the gateway saw.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from madang.web.application import OUTSIDE, Card, Load
from madang.web.arrangement import Link, arranged
from madang.web.drawing import BROAD, UPRIGHT, Drawing, draw
from madang.web.facts import Snapshot

MOST = 48  # boxes; more is no picture any more


@dataclass(frozen=True, slots=True)
class Graph:
    """`more` services were left out of the drawing."""

    namespace: str
    broad: Drawing
    upright: Drawing
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
    columns = arranged(places, links)
    broad, upright = (draw(shape, columns, shown, links, load) for shape in (BROAD, UPRIGHT))
    return Graph(namespace, broad, upright, len(touched) - len(shown))


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
