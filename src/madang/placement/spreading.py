"""Spreading a kind of pods evenly over domains: topologySpreadConstraints, and over nodes where nothing is said.

In: a pod's wishes and the tally. Out: for a node, how uneven it would be with the pod there. Counted once a pod, not
once a node (kubernetes plugins podtopologyspread).
"""

from functools import cached_property

from madang.kinds.taints import untolerated
from madang.placement.matching import any_term_holds
from madang.placement.tally import Tally
from madang.placement.wants import Spread, Wants


class Spreading:
    def __init__(self, wants: Wants, tally: Tally) -> None:
        self._wants, self._tally = wants, tally

    def skew(self, rule: Spread, i: int) -> int | None:
        """How uneven it would be with the pod here; None where the node lacks the label."""
        value = self._tally.labels[i].get(rule.topology)
        if value is None:
            return None
        counts = self._counts[rule]
        least = min(counts.values(), default=0) if len(counts) >= rule.min_domains else 0
        return counts.get(value, 0) + int(rule.selector.matches(self._wants.labels)) - least

    def crowd(self, i: int) -> int:
        """How many more of the same owner's pods stand here than on the node that has fewest."""
        return self._kin.get(i, 0) - self._fewest

    @cached_property
    def _kin(self) -> dict[int, int]:
        return self._tally.kin.get(self._wants.owner, {}) if self._wants.owner else {}

    @cached_property
    def _fewest(self) -> int:
        tally, kin = self._tally, self._kin
        if not kin:
            return 0
        open_ = (kin.get(i, 0) for i, node in enumerate(tally.nodes) if node is not None and not tally.cordoned[i])
        return min(open_, default=0)

    @cached_property
    def _counts(self) -> dict[Spread, dict[str, int]]:
        return {rule: self._count(rule) for rule in self._wants.spreads}

    def _count(self, rule: Spread) -> dict[str, int]:
        tally, wants = self._tally, self._wants
        counts: dict[str, int] = {}
        for i, node in enumerate(tally.nodes):
            if node is None or any(r.topology not in tally.labels[i] for r in wants.spreads if r.hard == rule.hard):
                continue
            if rule.honor_affinity and not wanted_node(wants, tally, i):
                continue
            if rule.honor_taints and untolerated(tally.taints[i], wants.tolerations):
                continue
            here = sum(
                1
                for seat in tally.seats[i].values()
                if not seat.leaving
                and seat.wants.namespace == wants.namespace
                and rule.selector.matches(seat.wants.labels)
            )
            value = tally.labels[i][rule.topology]
            counts[value] = counts.get(value, 0) + here
        return counts


def wanted_node(wants: Wants, tally: Tally, i: int) -> bool:
    """Node selector and required node affinity."""
    labels = tally.labels[i]
    if any(labels.get(k) != v for k, v in wants.node_selector.items()):
        return False
    return wants.node_terms is None or any_term_holds(wants.node_terms, tally.names[i], labels)
