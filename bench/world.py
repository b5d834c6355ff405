"""The simulated world: seeds a minute on one core, a rollout of three services under faults each."""

import gc
import time

from bench.court import load
from bench.table import Measure, show
from madang.world.command import once, worlds
from madang.world.plan import plan

ROUNDS, SEEDS = 3, 20


def round_of(first: int) -> tuple[float, float]:
    """Seeds a minute by the clock on the wall, and by this process's own CPU time."""
    wall, cpu = time.perf_counter(), time.process_time()
    for outcome in worlds(map(plan, range(first, first + SEEDS))):
        assert outcome.breach is None, f"seed {outcome.seed}: {outcome.breach}"
    gc.collect()  # what they left is paid for as well
    return SEEDS * 60 / (time.perf_counter() - wall), SEEDS * 60 / (time.process_time() - cpu)


def main() -> None:
    once(plan(0))
    rounds = [round_of(n * SEEDS) for n in range(ROUNDS)]
    measures = [
        Measure("seeds a minute", [wall for wall, _ in rounds], "", "300"),
        Measure("seeds a minute of CPU", [cpu for _, cpu in rounds], ""),
    ]
    show(f"World ({load()})", measures)
