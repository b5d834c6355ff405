"""Keeps loops running: one that crashes is told of loudly and started again, later each time.

In: a name and what to run. Out: nothing; it ends only when cancelled.
"""

import logging
from collections.abc import Awaitable, Callable

from madang.ports.clock import Clock

log = logging.getLogger(__name__)
FIRST_S, MOST_S, STEADY_S = 0.1, 30.0, 60.0


async def supervise(name: str, run: Callable[[], Awaitable[None]], clock: Clock) -> None:
    wait = FIRST_S
    while True:
        started = clock.monotonic_s()
        try:
            await run()
            log.error("%s ended by itself; starting it again in %s s", name, wait)
        except Exception:
            if clock.monotonic_s() - started > STEADY_S:
                wait = FIRST_S
            log.exception("%s crashed; starting it again in %s s", name, wait)
        await clock.sleep(wait)
        wait = min(wait * 2, MOST_S)
