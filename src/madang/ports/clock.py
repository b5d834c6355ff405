"""Time as a port: the whole house asks this for the hour, so that it can run on virtual time.

In: nothing. Out: seconds as floats. `now_s` is wall time (Unix epoch), for what is written into objects;
`monotonic_s` never jumps, for durations and back-off.
"""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    def now_s(self) -> float: ...

    def monotonic_s(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's own clocks."""

    def now_s(self) -> float:
        return time.time()

    def monotonic_s(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
