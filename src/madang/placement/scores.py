"""Which of the fitting nodes is best: a list of scorers, each 0 to 100, with weights.

In: wishes, tally, a node's place. Out: a number; the higher wins, then the node with fewer pods of the same owner,
then the name. Packing comes first: a nearly full node is filled before an empty one is begun.
"""

from collections.abc import Callable
from typing import NamedTuple

from madang.placement.filters import Candidate
from madang.placement.matching import term_holds, untolerated
from madang.placement.requests import CPU, MEMORY


class Scorer(NamedTuple):
    name: str
    weight: float
    score: Callable[[Candidate], float]


def packing(c: Candidate) -> float:
    """Best fit by the dominant resource: how full the fuller of CPU and memory would be."""
    shares = [
        (c.tally.used[r][c.i] + c.wants.requests.get(r, 0.0)) / c.tally.allocatable[r][c.i]
        for r in (CPU, MEMORY)
        if c.tally.allocatable[r][c.i] > 0
    ]
    return 100.0 * min(1.0, max(shares, default=0.0))


def preferred_nodes(c: Candidate) -> float:
    total = sum(int(t["weight"]) for t in c.wants.preferred_nodes)
    if not total:
        return 0.0
    labels, name = c.tally.labels[c.i], c.tally.names[c.i]
    held = sum(int(t["weight"]) for t in c.wants.preferred_nodes if term_holds(t["preference"], name, labels))
    return 100.0 * held / total


def soft_taints(c: Candidate) -> float:
    count = len(untolerated(c.tally.taints[c.i], c.wants.tolerations, ("PreferNoSchedule",)))
    return 100.0 / (1 + count)


def preferred_pods(c: Candidate) -> float:
    """50 is indifference: above it near, below it away."""
    total = sum(abs(t.weight) for t in c.wants.preferred_pods)
    if not total:
        return 50.0
    return max(0.0, min(100.0, 50.0 + 50.0 * c.near.preference(c.i) / total))


def evenness(c: Candidate) -> float:
    skews = [c.spreading.skew(rule, c.i) for rule in c.wants.spreads if not rule.hard]
    if not skews:
        return 0.0
    return 100.0 / (1 + sum(9 if skew is None else max(0, skew) for skew in skews))


# A stated preference outweighs packing; packing decides among equals.
SCORERS: tuple[Scorer, ...] = (
    Scorer("NodeResourcesFit", 1, packing),
    Scorer("NodeAffinity", 2, preferred_nodes),
    Scorer("TaintToleration", 3, soft_taints),
    Scorer("InterPodAffinity", 2, preferred_pods),
    Scorer("PodTopologySpread", 2, evenness),
)


def best(candidates: list[Candidate]) -> Candidate:
    def rank(c: Candidate) -> tuple[float, int, str]:
        score = sum(s.weight * s.score(c) for s in SCORERS)
        owner = c.wants.owner
        siblings = sum(1 for seat in c.tally.seats[c.i].values() if owner and seat.wants.owner == owner)
        return -round(score, 6), siblings, c.tally.names[c.i]

    return candidates[0] if len(candidates) == 1 else min(candidates, key=rank)
