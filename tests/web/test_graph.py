"""The drawing of calls: who stands where, which lines there are."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from madang.ports.objects import Obj
from madang.web.application import OUTSIDE, Load, Rate, cards
from madang.web.arrangement import Way, arranged
from madang.web.drawing import BROAD
from madang.web.graph import MOST, Graph, graph
from madang.web.reading import machine, read, snapshot
from tests.web import things


def drawn(objects: dict[str, list[Obj]], load: Load | None = None) -> Graph:
    s = snapshot(read(objects), machine(things.RECORD))
    load = load or Load()
    return graph(s, "shop", list(cards(s, load)), load)


def names(found: Graph) -> set[tuple[str, str]]:
    return {(line.source, line.target) for line in found.broad.lines}


def waiting(name: str, *others: str, **env: str) -> Obj:
    rows = ",".join(f'{{"service": "{o}", "condition": "started"}}' for o in others)
    container = {"image": name, "env": [{"name": k, "value": v} for k, v in env.items()]}
    return things.deployment(
        name, metadata={"annotations": {"madang.dev/depends-on": f"[{rows}]"}}, spec={"containers": [container]}
    )


def test_declared_lines() -> None:
    objects = {
        "deployments.apps": [
            waiting("web", "catalog", CART="http://cart:8000/x", NOT="see the orders page"),
            *(waiting(name) for name in ("catalog", "cart", "orders")),
        ],
        "services": [things.service("web", outside=8080)],
    }
    found = drawn(objects)
    assert names(found) == {("", "web"), ("web", "catalog"), ("web", "cart")}
    assert not any(line.seen for line in found.broad.lines)
    across = {box.name: box.x for box in found.broad.boxes}
    assert across[""] < across["web"] < across["catalog"] == across["cart"]


def test_what_was_seen_is_drawn_whole_with_its_rate() -> None:
    load = Load(
        calls={(("shop", "a"), ("shop", "b")): Rate(12.3, 0.5, 4, True), (OUTSIDE, ("shop", "a")): Rate(seen=True)}
    )
    found = drawn({"deployments.apps": [waiting("a"), waiting("b")]}, load)
    lines = {(x.source, x.target): x for x in found.broad.lines}
    assert lines["a", "b"].rate == "12" and lines["a", "b"].failing and lines["a", "b"].seen
    assert lines["", "a"].seen and not lines["", "a"].rate


def test_upright_is_the_same_from_above() -> None:
    found = drawn({"deployments.apps": [waiting("a", "b", "c"), waiting("b", "c"), waiting("c")]})
    down = {box.name: box.y for box in found.upright.boxes}
    assert down["a"] < down["b"] < down["c"]
    assert found.upright.width < 360, "a phone's width"
    assert [(x.source, x.target) for x in found.upright.lines] == [(x.source, x.target) for x in found.broad.lines]


def test_a_long_line_runs_between_the_boxes() -> None:
    found = drawn({"deployments.apps": [waiting("a", "b", "c"), waiting("b", "c"), waiting("c")]})
    (long,) = (x for x in found.broad.lines if (x.source, x.target) == ("a", "c"))
    (middle,) = (box for box in found.broad.boxes if box.name == "b")
    passing = re.search(r" (\d+)L(\d+) \d+C", long.path)
    assert passing is not None
    level, until = (int(n) for n in passing.groups())
    assert until == middle.x + BROAD.wide
    assert not middle.y <= level <= middle.y + BROAD.high


def test_a_circle_is_drawn() -> None:
    found = drawn({"deployments.apps": [waiting("a", "b"), waiting("b", "c"), waiting("c", "a")]})
    assert names(found) == {("a", "b"), ("b", "c"), ("c", "a")}


def test_more_than_can_be_seen_is_counted() -> None:
    found = drawn({"deployments.apps": [waiting(f"s{n:03}", "s000") for n in range(MOST + 5)]})
    assert len(found.broad.boxes) == MOST and found.more == 5


def test_who_neither_calls_nor_is_called_is_not_drawn() -> None:
    found = drawn({"deployments.apps": [waiting("a", "b"), waiting("b"), waiting("alone")]})
    assert {box.name for box in found.broad.boxes} == {"a", "b"} and not found.more


@given(st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=25))
def test_every_place_stands_once_and_calls_lead_on(pairs: set[tuple[int, int]]) -> None:
    links: Any = {(("s", str(a)), ("s", str(b))) for a, b in pairs if a != b}
    places = [("s", str(n)) for n in range(10)]
    columns = arranged(places, links)
    at = {p: n for n, column in enumerate(columns) for p in column if not isinstance(p, Way)}
    assert sorted(at) == places
    ways = [(p.link, n) for n, column in enumerate(columns) for p in column if isinstance(p, Way)]
    assert sorted(ways) == sorted((link, n) for link in links for n in range(at[link[0]] + 1, at[link[1]]))
    forward = {(a, b) for a, b in links if at[a] < at[b]}
    if not any(reaches(links, b, a) for a, b in links):
        assert forward == links, "without a circle nothing leads back"


def reaches(links: Any, start: Any, end: Any) -> bool:
    seen, ahead = set(), [start]
    while ahead:
        place = ahead.pop()
        if place == end:
            return True
        if place not in seen:
            seen.add(place)
            ahead += [b for a, b in links if a == place]
    return False
