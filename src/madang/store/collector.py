"""Python's cycle collector, tuned so that it never stops the house for long.

In: nothing. Out: settings of this process. Called once, when the store is loaded and the rooms are put together.
The default pace walks every living container each time the young ones pile up: with 15,000 pods that is a pause
of many milliseconds, for nothing, since what the store holds is freed by counting references.
"""

import gc

YOUNG_OBJECTS = 10_000  # a young collection then takes well below a millisecond
MIDDLE_EVERY = 10
FULL_EVERY = 50


def tune_collector() -> None:
    """Collects once, then sets aside all that lives now (modules, tables, loaded objects): later collections look
    only at what came after. May be called again after a large load."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, MIDDLE_EVERY, FULL_EVERY)
