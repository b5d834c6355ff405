"""The simulated world: seeds a minute on one core, of a rollout of three services under faults, and of whole stories
(with a Job, settings, an autoscaler, scaling and a namespace that goes, as `./dev world` tells them)."""

import gc
import time
from collections.abc import Callable

from bench.court import load
from bench.table import Measure, show
from madang.world.command import once, worlds
from madang.world.plan import Plan, plan, rollout

ROUNDS, SEEDS = 3, 20


def round_of(story: Callable[[int], Plan], first: int) -> tuple[float, float]:
    """Seeds a minute by the clock on the wall, and by this process's own CPU time."""
    wall, cpu = time.perf_counter(), time.process_time()
    for outcome in worlds(map(story, range(first, first + SEEDS))):
        assert outcome.breach is None, f"seed {outcome.seed}: {outcome.breach}"
    gc.collect()  # what they left is paid for as well
    return SEEDS * 60 / (time.perf_counter() - wall), SEEDS * 60 / (time.process_time() - cpu)


def main() -> None:
    once(plan(0))
    measures = []
    for name, story, goal in (("a rollout of three services", rollout, "300"), ("whole stories", plan, "")):
        rounds = [round_of(story, n * SEEDS) for n in range(ROUNDS)]
        measures.append(Measure(f"{name}: seeds a minute", [wall for wall, _ in rounds], "", goal))
        measures.append(Measure(f"{name}: seeds a minute of CPU", [cpu for _, cpu in rounds], ""))
    show(f"World ({load()})", measures)
