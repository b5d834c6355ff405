"""What a controller is: a module with these three names. `loops` drives it; a test calls `decide` by itself.

In: a key, a read-only view of the committed state, the hour, injected chance. Out: actions. An event only wakes
a key: `decide` reads everything again, so it may be called at any time and any number of times.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from madang.ports.actions import Action
from madang.ports.chance import Chance
from madang.ports.objects import Kind, Obj, ref
from madang.ports.view import View


class Ref(NamedTuple):
    """The key that is decided: an object of the controller's own kind."""

    namespace: str
    name: str


# From a changed object (and the view, to look up its owner, say) to the keys that must be decided again.
Waker = Callable[[Obj, View], Iterable[Ref]]


def wake_self(obj: Obj, view: View) -> Iterable[Ref]:
    """The object itself is the key."""
    return (Ref(*ref(obj)),)


class Controller(Protocol):
    NAME: str  # the field's name of it, e.g. `deployment-controller`: its identity and its events' source
    WATCHES: Mapping[Kind, Waker]
    # A module may also say, as functions of its own: `bearing(obj)`, what of an object it looks at at all (a change of
    # anything else wakes nobody); `rests_s(obj, now)`, for how long an object needs nothing. `GATHERS_S`: for how long
    # changes are gathered before a key is decided, where nobody hurries.

    def decide(self, ref: Ref, view: View, now: float, chance: Chance) -> Sequence[Action]: ...
