"""What was compiled before, by the revisions of what it was compiled from: a decision costs what has changed.

In: a place, a stamp that changes whenever the answer may, a way to make it. Out: the same value (the same object)
for the same stamp. Forgetting it all changes nothing but the time that the next decision takes.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar, cast

from madang.ports.objects import Obj

V = TypeVar("V")


class Memo:
    """`turn` begins a decision: what the last one did not ask for is forgotten."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[object, object]] = {}
        self._asked: dict[Hashable, tuple[object, object]] = {}

    def turn(self) -> None:
        self._known, self._asked = self._asked, {}

    def get(self, place: Hashable, stamp: object, make: Callable[[], V]) -> V:
        """A stamp of None is never the same."""
        known = self._known.get(place)
        value = cast(V, known[1]) if known is not None and stamp is not None and known[0] == stamp else make()
        self._asked[place] = (stamp, value)
        return value


def revisions(objects: Sequence[Obj]) -> tuple[str, ...] | None:
    """None where one has no revision (it never came from the API)."""
    found = tuple(o["metadata"].get("resourceVersion", "") for o in objects)
    return found if all(found) else None
