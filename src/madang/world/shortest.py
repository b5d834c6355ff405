"""The shortest story that still breaks: deeds are left out as long as the same invariant breaks without them.

In: a plan that breaks, how to run one. Out: a plan with fewer deeds and its outcome (delta debugging, halves first).
"""

from collections.abc import Callable
from dataclasses import replace

from madang.world.plan import Deed, Plan
from madang.world.story import Outcome


def shortest(plan: Plan, broken: Outcome, run: Callable[[Plan], Outcome], most_runs: int = 60) -> tuple[Plan, Outcome]:
    """`most_runs` bounds the time that it takes: what is left then is short enough."""
    assert broken.breach is not None
    invariant, runs = broken.breach.invariant, 0

    def breaks(deeds: tuple[Deed, ...]) -> Outcome | None:
        nonlocal runs
        runs += 1
        outcome = run(replace(plan, deeds=deeds))
        return outcome if outcome.breach is not None and outcome.breach.invariant == invariant else None

    deeds, at = tuple(d for d in plan.deeds if d.at_s <= broken.breach.at_s), broken
    if len(deeds) < len(plan.deeds):
        at = breaks(deeds) or at
        deeds = deeds if at is not broken else plan.deeds
    size = max(len(deeds) // 2, 1)
    while runs < most_runs:
        shorter = False
        for start in range(0, len(deeds), size):
            fewer = deeds[:start] + deeds[start + size :]
            if runs < most_runs and fewer and (found := breaks(fewer)) is not None:
                deeds, at, shorter = fewer, found, True
                break
        if not shorter:
            if size == 1:
                break
            size = max(size // 2, 1)
    return replace(plan, deeds=deeds), at
