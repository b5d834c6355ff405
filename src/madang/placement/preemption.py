"""Making room for a pod of higher priority: on which node, and who must go.

In: the tally, the pod's wishes, the nodes where making room could help. Out: the node that costs least (the lowest
highest priority among the victims, then the fewest) and its victims; the tally is left as it was (kubernetes
defaultpreemption). Whoever can stay beside the newcomer is reprieved, the most important first.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from madang.placement.tally import Seat, Tally
from madang.placement.wants import Wants


class Preemption(NamedTuple):
    node: str
    victims: tuple[Seat, ...]


# Whether the pod could go to the i-th node as the tally stands.
Fits = Callable[[int], bool]


def preemption(tally: Tally, wants: Wants, places: Iterable[int], fits: Fits) -> Preemption | None:
    found = [one for i in places if (one := room_on(tally, wants, i, fits)) is not None]
    return min(found, key=cost, default=None)


def cost(one: Preemption) -> tuple[int, int, str]:
    return max(seat.wants.priority for seat in one.victims), len(one.victims), one.node


def room_on(tally: Tally, wants: Wants, i: int, fits: Fits) -> Preemption | None:
    lesser = [seat for seat in tally.seats[i].values() if seat.wants.priority < wants.priority]
    if not lesser:
        return None
    for seat in lesser:
        tally.unseat(seat.wants.uid)
    try:
        if not fits(i):
            return None
        victims = []
        for seat in sorted(lesser, key=lambda s: (-s.wants.priority, s.wants.namespace, s.wants.name)):
            tally.seat(seat.wants, seat.node, leaving=seat.leaving)
            if not fits(i):
                tally.unseat(seat.wants.uid)
                victims.append(seat)
        return Preemption(tally.names[i], tuple(victims)) if victims else None
    finally:
        for seat in lesser:
            tally.seat(seat.wants, seat.node, leaving=seat.leaving)


def still_going(tally: Tally, wants: Wants, nominated: str) -> bool:
    """Whether victims on the nominated node are on their way out already: then nobody else need go."""
    i = tally.place.get(nominated)
    if i is None:
        return False
    return any(seat.leaving and seat.wants.priority < wants.priority for seat in tally.seats[i].values())
