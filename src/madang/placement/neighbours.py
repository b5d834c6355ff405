"""Rules about other pods: affinity and anti-affinity.

In: a pod's wishes and the tally. Out: for each node whether they hold. What a rule needs of the whole house is
counted once a pod, not once a node (kubernetes plugins interpodaffinity).
"""

from collections.abc import Iterable
from functools import cached_property

from madang.placement.tally import Seat, Tally
from madang.placement.wants import PodTerm, Wants

Domain = tuple[str, str]  # topology key, value


class Neighbours:
    def __init__(self, wants: Wants, tally: Tally) -> None:
        self._wants, self._tally = wants, tally

    def _domain(self, key: str, i: int) -> Domain | None:
        value = self._tally.labels[i].get(key)
        return None if value is None else (key, value)

    def _seats(self) -> Iterable[tuple[int, Seat]]:
        for i, seats in enumerate(self._tally.seats):
            for seat in seats.values():
                yield i, seat

    def _takes(self, term: PodTerm, other: Wants) -> bool:
        return term.takes(other.namespace, other.labels, self._tally.namespaces)

    def _domains_of(self, terms: Iterable[PodTerm], *, together: bool) -> set[Domain]:
        """Domains with a pod that a term takes (`together`: that all terms take)."""
        chosen, found = list(terms), set()
        for i, seat in self._seats():
            takers = [t for t in chosen if self._takes(t, seat.wants)]
            if together and len(takers) < len(chosen):
                continue
            found |= {domain for t in takers if (domain := self._domain(t.topology, i)) is not None}
        return found

    @cached_property
    def _near(self) -> set[Domain]:
        return self._domains_of(self._wants.affinity, together=True)

    @cached_property
    def _far(self) -> set[Domain]:
        return self._domains_of(self._wants.anti_affinity, together=False)

    @cached_property
    def _repelled(self) -> set[Domain]:
        """Domains whose pods will not have this one near."""
        return {
            domain
            for seat in self._tally.repelling.values()
            for term in seat.wants.anti_affinity
            if self._takes(term, self._wants)
            and (domain := self._domain(term.topology, self._tally.place[seat.node])) is not None
        }

    def near_enough(self, i: int) -> bool:
        terms = self._wants.affinity
        domains = [self._domain(t.topology, i) for t in terms]
        if None in domains:
            return False
        if all(d in self._near for d in domains):
            return True
        # The first of a group that wants its own kind near may start anywhere.
        return not self._near and all(self._takes(t, self._wants) for t in terms)

    def far_enough(self, i: int) -> bool:
        return not any(self._domain(t.topology, i) in self._far for t in self._wants.anti_affinity)

    def welcome(self, i: int) -> bool:
        return not self._repelled or not any((k, v) in self._repelled for k, v in self._tally.labels[i].items())

    def preference(self, i: int) -> int:
        """The sum of weights of preferred terms that pods of this node's domains answer."""
        return sum(self._weights.get(item, 0) for item in self._tally.labels[i].items())

    @cached_property
    def _weights(self) -> dict[Domain, int]:
        weights: dict[Domain, int] = {}
        for i, seat in self._seats() if self._wants.preferred_pods else ():
            for term in self._wants.preferred_pods:
                domain = self._domain(term.topology, i)
                if domain is not None and self._takes(term, seat.wants):
                    weights[domain] = weights.get(domain, 0) + term.weight
        return weights
