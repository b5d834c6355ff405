"""Where a life is struck: the await at which its last step would have gone on, those around it, and what was on its
way to the disk just then.

In: the step that is never taken, the kinds in flight. Out: a name, the same for the same moment of the same code.
`Seeker` ends each life where none was ended before, and notes after how many steps, so that the story can be told
again without it.
"""

import asyncio
import random
from collections.abc import Callable, Iterable
from pathlib import PurePath
from typing import Any

from madang.world.loop import Pulse, Step

LATEST = 1500  # steps of a life before it is in danger


def point(step: Step, flying: Iterable[str]) -> str:
    return f"{_place(step)} | {', '.join(sorted(set(flying))) or 'nothing'} in flight"


def _place(step: Step) -> str:
    owner = getattr(step._callback, "__self__", None)
    if not isinstance(owner, asyncio.Task):
        return str(getattr(step._callback, "__qualname__", type(step._callback).__qualname__))
    places: list[str] = []
    waits: Any = owner.get_coro()
    while waits is not None:
        frame = next((f for f in (getattr(waits, n, None) for n in ("cr_frame", "gi_frame", "ag_frame")) if f), None)
        if frame is not None:
            places.append(f"{'/'.join(PurePath(frame.f_code.co_filename).parts[-2:])}:{frame.f_lineno}")
        waits = next(
            (w for w in (getattr(waits, n, None) for n in ("cr_await", "gi_yieldfrom", "ag_await")) if w), None
        )
    return " < ".join(reversed(places)) or "a task that had ended"


class Seeker:
    """`struck` holds the places of all worlds so far; `steps` after how many steps each life of this one ended."""

    def __init__(self, struck: set[str], chance: random.Random) -> None:
        self.flying: Callable[[], Iterable[str]] = tuple
        self._struck, self._chance = struck, chance
        self._pulse: Pulse | None = None
        self._from = 0
        self.steps: list[int] = []

    def ends(self, pulse: Pulse, step: Step) -> bool:
        if pulse is not self._pulse:
            self._pulse, self._from = pulse, self._chance.randrange(LATEST)
        if pulse.steps < self._from or (place := point(step, self.flying())) in self._struck:
            return False
        self._struck.add(place)
        self.steps.append(pulse.steps)
        return True
