"""Worlds: a seed tells the same story twice, many seeds hold, and every fault strikes."""

import os
import subprocess
import sys

import pytest

from madang.world.command import once
from madang.world.plan import plan
from madang.world.tally import FAULTS


def test_a_seed_tells_the_same_story_twice() -> None:
    first, second = (once(plan(4), tracing=True) for _ in range(2))
    assert first.trace == second.trace and first.steps == second.steps
    assert first.breach is None


def world(*words: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the order of sets must be the seed's, too."""
    env = {**os.environ, "PYTHONHASHSEED": "0"}
    return subprocess.run(
        [sys.executable, "-m", "madang.world", *words], capture_output=True, text=True, env=env, check=False
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_many_seeds_hold_and_every_fault_strikes() -> None:
    done = world("--seeds", "150")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "150 seeds, 0 broken" in done.stdout and "never struck" not in done.stdout
    assert all(name in done.stdout for name in FAULTS)
