"""Where each box and each line of a drawing is, in pixels, ready to be written as SVG. Pure.

In: a shape, columns of places, links, what was seen of calls. Out: a frozen `Drawing`. A drawing runs `onward` with the
calls (to the right, or downward where it is upright) and `across` them; a line that was seen is drawn whole.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from madang.web.application import Card, Load, Place, number
from madang.web.arrangement import Link, Stand, Way
from madang.web.lamps import Lamp

EDGE = 8
Spots = Mapping[Stand, tuple[int, int]]  # (onward, across)


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a box, gaps between boxes, the breadth of a line between them. `letters` fit into a box."""

    name: str
    wide: int
    high: int
    onward: int
    across: int
    lane: int
    letters: int
    upright: bool = False

    @property
    def depth(self) -> int:
        """Of a box, onward."""
        return self.high if self.upright else self.wide

    @property
    def breadth(self) -> int:
        return self.wide if self.upright else self.high

    def at(self, onward: int, across: int) -> tuple[int, int]:
        """(x, y)."""
        return (across, onward) if self.upright else (onward, across)


BROAD = Shape("broad", 158, 56, 92, 22, 10, 15)
UPRIGHT = Shape("upright", 100, 50, 54, 10, 30, 9, upright=True)


@dataclass(frozen=True, slots=True)
class Box:
    id: str
    name: str
    lamp: Lamp
    ready: int
    wanted: int
    x: int
    y: int
    people: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """`x` and `y`: where its rate is written."""

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
class Drawing:
    shape: Shape
    width: int = 0
    height: int = 0
    boxes: tuple[Box, ...] = ()
    lines: tuple[Line, ...] = ()


def draw(
    shape: Shape, columns: list[list[Stand]], shown: Mapping[Place, Card], links: Iterable[Link], load: Load
) -> Drawing:
    if not columns:
        return Drawing(shape)
    breadths = [sum(room(shape, one) for one in c) + shape.across * (len(c) - 1) for c in columns]
    breadth = max(breadths)
    spots: dict[Stand, tuple[int, int]] = {}
    for n, column in enumerate(columns):
        across = EDGE + (breadth - breadths[n]) // 2
        for one in column:
            spots[one] = EDGE + n * (shape.depth + shape.onward), across
            across += room(shape, one) + shape.across
    length = len(columns) * (shape.depth + shape.onward) - shape.onward
    width, height = shape.at(length + 2 * EDGE, breadth + 2 * EDGE)
    boxes = (box(p, shown.get(p), *shape.at(*spots[p])) for c in columns for p in c if not isinstance(p, Way))
    return Drawing(shape, width, height, tuple(boxes), tuple(line(shape, link, spots, load) for link in sorted(links)))


def room(shape: Shape, one: Stand) -> int:
    return shape.lane if isinstance(one, Way) else shape.breadth


def box(place: Place, one: Card | None, x: int, y: int) -> Box:
    if one is None:
        return Box("", "", "ok", 0, 0, x, y, people=True)
    return Box(one.id, one.name, one.lamp, one.ready, one.wanted, x, y)


def line(shape: Shape, link: Link, spots: Spots, load: Load) -> Line:
    seen, (a, b) = load.calls.get(link), link
    path, x, y = way(shape, link, spots) if spots[b][0] > spots[a][0] else around(shape, spots[a], spots[b])
    rate = number(seen.requests) if seen and seen.requests >= 0.05 else ""
    failing = bool(seen and seen.errors >= 0.05)
    return Line(path, seen is not None, bool(rate), failing, rate, x, y, a[1], b[1])


def way(shape: Shape, link: Link, spots: Spots) -> tuple[str, int, int]:
    """Onward. Its rate is written where it runs alone, else in the middle of the gap."""
    (start, left), (end, right) = spots[link[0]], spots[link[1]]
    at = start + shape.depth, left + shape.breadth // 2
    goal = end, right + shape.breadth // 2
    passed = sorted((one for one in spots if isinstance(one, Way) and one.link == link), key=lambda one: one.column)
    middle = (at[0] + goal[0]) // 2, (at[1] + goal[1]) // 2
    path = f"M{point(shape, at)}"
    for n, one in enumerate(passed):
        onward, across = spots[one][0], spots[one][1] + shape.lane // 2
        path += curve(shape, at, (onward, across)) + f"L{point(shape, (onward + shape.depth, across))}"
        at = onward + shape.depth, across
        if n == 0:
            middle = onward + shape.depth // 2, across
    return path + curve(shape, at, (goal[0] - 7, goal[1])), *shape.at(*middle)


def around(shape: Shape, a: tuple[int, int], b: tuple[int, int]) -> tuple[str, int, int]:
    """Backwards, or within a column: out at the far side and in again."""
    one = a[0] + shape.depth, a[1] + shape.breadth // 2 + 10
    two = b[0] + shape.depth, b[1] + shape.breadth // 2 - 10
    far = [(one[0] + 60, one[1]), (two[0] + 60, two[1]), (two[0] + 7, two[1])]
    path = f"M{point(shape, one)}C{' '.join(point(shape, p) for p in far)}"
    return path, *shape.at((one[0] + two[0]) // 2 + 30, (one[1] + two[1]) // 2)


def curve(shape: Shape, a: tuple[int, int], b: tuple[int, int]) -> str:
    bend = max(shape.onward // 3, (b[0] - a[0]) // 2)
    return f"C{' '.join(point(shape, p) for p in ((a[0] + bend, a[1]), (b[0] - bend, b[1]), b))}"


def point(shape: Shape, at: tuple[int, int]) -> str:
    x, y = shape.at(*at)
    return f"{x} {y}"
