"""Who stands in which column of a drawing, and in which order. Pure.

In: places and the links between them. Out: columns by the longest way from outside, so that links lead onward; a circle
is cut where it closes.
"""

from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import NamedTuple

from madang.web.application import OUTSIDE, Place

Link = tuple[Place, Place]


class Way(NamedTuple):
    """Where a line passes a column by."""

    link: Link
    column: int


Stand = Place | Way


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
