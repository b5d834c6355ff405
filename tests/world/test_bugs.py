"""The world proves itself: planted bugs are found. Those here are found by one seed each, so that it takes seconds;
`./dev world --bug all --seeds 500` hunts them all, and says by which seed each is found."""

import pytest

from madang.world.bugs import BUGS
from madang.world.command import once
from madang.world.plan import plan

# The first seed that finds each, as the hunt says it. Where `plan` draws in another way, hunt again.
QUICK = {
    "no sync": 0,
    "deaf to failure": 4,
    "no version check": 0,
    "committed only": 0,
    "only the batch fails": 4,
    "torn rows taken": 3,
    "watch loses one": 0,
    "watch from one after": 2,
    "window unchecked": 0,
    "only one kind woken": 0,
    "finalizers forgotten": 4,
    "any write ends it": 2,
    "no grace": 2,
    "unready endpoints": 0,
    "no floor": 2,
    "no ceiling": 2,
    "nothing collected": 1,
    "one pod more": 2,
    "counted twice": 0,
    "job lets go early": 0,
    "woken while busy": 0,
    "no room needed": 1,
    "seats uncounted": 1,
    "new pods by the old set": 0,
    "nothing adopted": 2,
    "ready at once": 0,
    "probes unasked": 0,
    "no last word": 1,
    "node forgotten": 1,
    "addresses kept": 0,
    "end unheard": 0,
    "signal at once": 2,
    "ready ones first": 2,
}
# Those that it takes more worlds to find.
RARE = {
    "counts from the living": 13,
    "watch from one before": 8,
    "nodes stay tainted": 6,
    "never again": 19,
    "conflict is done": 19,
    "gap untold": 22,
    "stuck for ever": 50,
    "liveness ignored": 80,
    "slices not awaited": 222,
    "removed run on": 72,
    "nothing swept": 51,
    "status given up": 91,
    "no restart": 1,
    "unready when adopted": 2,
}


def test_there_are_enough() -> None:
    assert len(BUGS) >= 25 and len(QUICK) >= 25
    assert {*QUICK, *RARE} == set(BUGS), "say which seed finds it"
    assert all(bug.text and hasattr(bug.owner, bug.attribute) for bug in BUGS.values())


@pytest.mark.parametrize(("name", "seed"), QUICK.items())
def test_a_planted_bug_is_found(name: str, seed: int) -> None:
    found(name, seed)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "seed"), RARE.items())
def test_a_rare_one_is_found(name: str, seed: int) -> None:
    found(name, seed)


def found(name: str, seed: int) -> None:
    with BUGS[name].planted():
        breach = once(plan(seed)).breach
    again = f"`./dev world --bug '{name}' --seeds 500` says which seed finds it now"
    assert breach is not None, f"{name}: {BUGS[name].text}: not found by seed {seed}; {again}"
