"""Which walls a host process can have here, as an ordered table: the first that works is taken.

In: a way to try one. Out: the `Confinement`, and in words what is missing and why, for `madang status`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

from madang.node.runtimes.monitor.request import Confinement
from madang.porch import standing

# Empty where it works, else the call that was refused.
Try = Callable[[Confinement], Awaitable[str]]


class Walls(NamedTuple):
    """One way to stand around a container, best first. Motive of the order: with a user namespace other users' ids
    have no meaning, so the way without one is preferred, even without a PID namespace of its own."""

    name: str
    confinement: Confinement


NONE = Walls("none", Confinement(mounts=False, pids=False, user=False))
WAYS = (
    Walls("namespaces", Confinement(mounts=True, pids=True, user=False)),
    Walls("mount namespace", Confinement(mounts=True, pids=False, user=False)),
    Walls("user namespace", Confinement(mounts=True, pids=True, user=True)),
    Walls("user and mount namespace", Confinement(mounts=True, pids=False, user=True)),
)
OUTER = WAYS[0]


@dataclass(frozen=True, slots=True)
class Found:
    walls: Walls
    refused: tuple[str, ...] = ()

    @property
    def why_not(self) -> str:
        return "; ".join(self.refused)


def ways() -> tuple[Walls, ...]:
    """Where the courtyard lives in a user namespace of its own, we are root there and programs are not: they get a
    user namespace of their own, in which they are who they are outside."""
    if not standing.inside():
        return WAYS
    ids = [standing.user(), standing.group()]
    nested = [way for way in WAYS if way.confinement["user"]]
    return tuple(Walls(way.name, Confinement(**way.confinement, ids=ids)) for way in nested)


async def find(attempt: Try) -> Found:
    refused: list[str] = []
    for walls in ways():
        fault = await attempt(walls.confinement)
        if not fault:
            return Found(walls, tuple(refused))
        refused.append(f"{walls.name}: {fault}")
    return Found(NONE, tuple(refused))
