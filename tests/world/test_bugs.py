"""The world proves itself: planted bugs are found. Those here show within a few seeds; `./dev world --bug all --seeds
500` hunts them all."""

import pytest

from madang.world.bugs import BUGS
from madang.world.command import once
from madang.world.plan import plan

SEEDS = 16
QUICK = (
    "no sync",
    "no version check",
    "committed only",
    "watch loses one",
    "watch from one before",
    "only one kind woken",
    "unready endpoints",
    "counted twice",
    "nothing adopted",
    "ready at once",
    "addresses kept",
    "end unheard",
)


def test_there_are_enough() -> None:
    assert len(BUGS) >= 25
    assert all(bug.text and hasattr(bug.owner, bug.attribute) for bug in BUGS.values())


@pytest.mark.parametrize("name", QUICK)
def test_a_planted_bug_is_found(name: str) -> None:
    with BUGS[name].planted():
        found = any(once(plan(seed)).breach is not None for seed in range(SEEDS))
    assert found, f"{name}: {BUGS[name].text}: not found within {SEEDS} seeds"
