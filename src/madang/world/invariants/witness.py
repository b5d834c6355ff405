"""The shape of a witness of objects."""

from collections.abc import Mapping

from madang.ports.journal import Row
from madang.ports.objects import Key, Obj
from madang.world.world import World

Present = Mapping[Key, Obj]


class Witness:
    def __init__(self, world: World) -> None:
        self.world = world

    def committed(self, row: Row, old: Obj | None, new: Obj | None, present: Present) -> None:
        """`present` holds `new` already."""

    def restarted(self, present: Present) -> None:
        """A new control process has read what the last one left, and has not begun."""

    def polled(self, present: Present) -> None:
        """Everything is healed, and the house is on its way to where it was asked to be."""

    def settled(self, present: Present) -> None:
        """The house has converged and rests."""


def ready(pod: Obj) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def leaving(obj: Obj) -> bool:
    return "deletionTimestamp" in obj["metadata"]


def over(pod: Obj) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
