"""Events are kept for an hour.

In: an Event. Out: its deletion, or when to look again.
"""

from collections.abc import Mapping, Sequence

from madang.control.controller import Ref, Waker, wake_self
from madang.kinds.times import parse
from madang.ports.actions import Action, Delete, Wake
from madang.ports.chance import Chance
from madang.ports.objects import Kind, Obj
from madang.ports.view import View

NAME = "event-ttl-controller"
KIND = "events"
KEPT_S = 3600.0


WATCHES: Mapping[Kind, Waker] = {KIND: wake_self}


def last_told_s(event: Obj) -> float:
    series = (event.get("series") or {}).get("lastObservedTime")
    times = (series, event.get("lastTimestamp"), event.get("eventTime"), event["metadata"].get("creationTimestamp"))
    return max([parse(t) for t in times if t], default=0.0)


def rests_s(event: Obj, now: float) -> float:
    """Most of what happens is told by Events: none of them is looked at before its time."""
    return last_told_s(event) + KEPT_S - now


def decide(ref: Ref, view: View, now: float, chance: Chance) -> Sequence[Action]:
    event = view.get(KIND, ref.namespace, ref.name)
    if event is None:
        return []
    if (left := rests_s(event, now)) > 0:
        return [Wake(left)]
    return [Delete(KIND, ref.namespace, ref.name, uid=event["metadata"]["uid"])]
