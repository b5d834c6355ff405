"""Worlds: a seed tells the same story twice, whatever the order of sets, and seeds hold."""

import os
import subprocess
import sys

import pytest

from madang.world.clock import dice
from madang.world.command import once
from madang.world.plan import mortal, plan, rollout
from madang.world.points import Seeker
from madang.world.tally import FAULTS


def test_a_seed_tells_the_same_story_twice() -> None:
    first, second = (once(plan(4), tracing=True) for _ in range(2))
    assert first.trace == second.trace and first.steps == second.steps
    assert first.breach is None


def world(*words: str, hashes: str = "random") -> subprocess.CompletedProcess[str]:
    """In a process of its own, where sets of words have an order of their own."""
    env = {**os.environ, "PYTHONHASHSEED": hashes}
    return subprocess.run(
        [sys.executable, "-m", "madang.world", *words], capture_output=True, text=True, env=env, check=False
    )


def test_the_seed_alone_replays_a_story_whatever_the_order_of_sets() -> None:
    stories = [world("--seed", "2", hashes=hashes) for hashes in ("1", "2")]
    assert stories[0].stdout == stories[1].stdout and "all held" in stories[0].stdout


def test_killed_at_many_places_and_replayed_by_its_steps() -> None:
    seeker = Seeker(set(), dice(5, "places"))
    killed = once(mortal(5), seeker=seeker)
    assert killed.breach is None and len(seeker.steps) > 3
    assert killed.tally["kill"] == len(seeker.steps) and killed.tally["checked"] == killed.lives - 1
    again = once(mortal(5, seeker.steps))
    assert (again.lives, again.points) == (killed.lives, killed.points)


@pytest.mark.parametrize("seed", range(3))
def test_a_rollout_of_three_services_and_nothing_beside_it(seed: int) -> None:
    """What the measure of speed is told by must be a story that strikes, and holds."""
    told = rollout(seed)
    assert [d.name for d in told.deeds].count("roll out") == 3
    assert {d.name for d in told.deeds if d.asked} == {"create service", "configure", "roll out"}
    assert any(not d.asked for d in told.deeds)
    assert once(told).breach is None


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_seeds_hold_and_their_faults_are_told() -> None:
    """Few: `.ci/run` tells 300 others, and fails where a fault never struck in them."""
    done = world("--seeds", "30")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "30 seeds, 0 broken" in done.stdout
    assert all(name in done.stdout for name in FAULTS)
