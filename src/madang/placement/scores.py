"""Which of the fitting nodes is best: a list of scorers, each 0 to 100, with weights.

In: wishes, tally, a node's place. Out: a number; the higher wins, then the name. Packing decides between services: a
nearly full node is filled before an empty one is begun. Within one service spreading does: instances that stand on one
node are lost with it (Kubernetes spreads them by default, too).
"""

from collections.abc import Callable
from typing import NamedTuple

from madang.kinds.taints import untolerated
from madang.placement.filters import Candidate
from madang.placement.matching import term_holds
from madang.placement.requests import CPU, MEMORY
from madang.placement.tally import Tally
from madang.placement.wants import Wants


class Scorer(NamedTuple):
    """`concerns`: whether the scorer can tell nodes apart for this pod at all."""

    name: str
    weight: float
    concerns: Callable[[Wants, Tally], bool]
    score: Callable[[Candidate], float]


def packing(c: Candidate) -> float:
    """Best fit by the dominant resource: how full the fuller of CPU and memory would be."""
    tally, asked, i = c.tally, c.wants.requests, c.i
    fullest = 0.0
    for resource in (CPU, MEMORY):
        has = tally.allocatable[resource][i]
        if has > 0:
            fullest = max(fullest, (tally.used[resource][i] + asked.get(resource, 0.0)) / has)
    return 100.0 * min(1.0, fullest)


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


def apart(c: Candidate) -> float:
    """Among instances of one owner that say nothing of it. One more than where there are fewest outweighs any packing;
    each further one weighs less."""
    return 100.0 / (1 + max(0, c.spreading.crowd(c.i)))


def evenness(c: Candidate) -> float:
    skews = [c.spreading.skew(rule, c.i) for rule in c.wants.spreads if not rule.hard]
    if not skews:
        return 0.0
    return 100.0 / (1 + sum(9 if skew is None else max(0, skew) for skew in skews))


# A stated preference outweighs packing; packing decides among equals.
SCORERS: tuple[Scorer, ...] = (
    Scorer("NodeResourcesFit", 1, lambda w, t: True, packing),
    Scorer("NodeAffinity", 2, lambda w, t: bool(w.preferred_nodes), preferred_nodes),
    Scorer("TaintToleration", 3, lambda w, t: any(t.taints), soft_taints),
    Scorer("InterPodAffinity", 2, lambda w, t: bool(w.preferred_pods), preferred_pods),
    Scorer("PodTopologySpread", 2, lambda w, t: any(not s.hard for s in w.spreads), evenness),
    Scorer("SystemDefaultSpreading", 2, lambda w, t: not w.spreads and w.owner in t.kin, apart),
)


def best(candidates: list[Candidate]) -> Candidate:
    first = candidates[0]
    if len(candidates) == 1:
        return first
    concerned = [s for s in SCORERS if s.concerns(first.wants, first.tally)]
    scored = [(round(sum(s.weight * s.score(c) for s in concerned), 6), c) for c in candidates]
    highest = max(score for score, _ in scored)
    equals = [c for score, c in scored if score == highest]
    return min(equals, key=lambda c: c.tally.names[c.i])
