"""Where a life was struck: the await at which its last step would have gone on, and those around it.

In: the step that was never taken. Out: its name, the same for the same place in the code; `PLACES` innermost ones are
told apart, so that a worker killed in one call of the API is not the same as killed in another.
"""

import asyncio
from pathlib import PurePath
from typing import Any

from madang.world.loop import Step

PLACES = 8


def point(step: Step) -> str:
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
    return " < ".join(reversed(places[-PLACES:])) or "a task that had ended"
