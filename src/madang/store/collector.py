"""Python's cycle collector, tuned so that it never stops the house for long.

In: nothing, and how many objects the store holds. Out: settings of this process. The default pace walks every
living container each time the young ones pile up: with 15,000 pods that is a pause of many milliseconds, for
nothing, since what the store holds is freed by counting references.
"""

import gc
from collections.abc import Callable

YOUNG_OBJECTS = 2_000  # a young collection then takes about a millisecond, caches cold
MIDDLE_EVERY = 10
FULL_EVERY = 50
YOUNG_WRITES = 500
FIRST_FREEZE_OBJECTS = 1_000


def tune_collector() -> None:
    """Called once, when the store is loaded and the rooms are put together. Sets aside all that lives now (modules,
    tables, loaded objects): later collections look only at what came after. Nothing is collected first: of a start
    under a thousand objects are garbage, and to look for them takes 40 ms of it."""
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, MIDDLE_EVERY, FULL_EVERY)
    gc.enable()


def collector_pace() -> Callable[[int, int], None]:
    """A hook for each commit: (objects in the store, writes of the commit).

    A write frees as many containers as it makes. Python counts the difference, so under a steady load of updates
    it never finds the young ones worth a look, until they are fifty thousand and a list of pods tips the scale:
    25 ms. So they are collected by the count of writes. And what lives is set aside each time the store has
    doubled, so that a full collection does not walk its tables; cyclic garbage that happens to be there is kept
    with it, which is why this is not done more often.
    """
    limit, writes_since = FIRST_FREEZE_OBJECTS, 0

    def committed(objects: int, writes: int) -> None:
        nonlocal limit, writes_since
        writes_since += writes
        if writes_since >= YOUNG_WRITES:
            writes_since = 0
            gc.collect(0)
        if objects >= limit:
            gc.freeze()  # moves one list, takes no time
            while objects >= limit:
                limit *= 2

    return committed
