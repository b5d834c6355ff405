from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from madang.kinds.managed.sets import SELF, Set, common, join, member, minus, without

Path = tuple[str, ...]
steps = st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}'])
paths = st.sets(st.lists(steps, min_size=1, max_size=3).map(tuple), max_size=6)


def build(members: set[Path]) -> Set:
    root: Any = {}
    for path in members:
        place = root
        for step in path:
            place = place.setdefault(step, {})
        place[SELF] = {}
    return tidy(root)


def tidy(place: Any) -> Any:
    if set(place) == {SELF}:
        return {}
    return {k: v if k == SELF else tidy(v) for k, v in place.items()}


def members(place: Set, before: Path = ()) -> set[Path]:
    found = set()
    for step, inner in place.items():
        if step != SELF:
            path = (*before, step)
            found |= {path} if member(inner) else set()
            found |= members(inner, path)
    return found


@given(paths, paths)
def test_they_are_sets(left: set[Path], right: set[Path]) -> None:
    a, b = build(left), build(right)
    assert join(a, b) == build(left | right)
    assert minus(a, b) == build(left - right)
    assert common(a, b) == build(left & right)
    assert (build(left), build(right)) == (a, b)


@given(paths, st.lists(steps, min_size=1, max_size=2).map(tuple))
def test_without_takes_all_below(whole: set[Path], path: Path) -> None:
    kept = {p for p in whole if p[: len(path)] != path}
    assert members(without(build(whole), (path,))) == kept
