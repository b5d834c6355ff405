"""The world's clocks and its chance: everything follows from the loop's time and the seed.

In: a loop, a seed. Out: the ports `Clock` and `Chance`, and named dice, so that what one part draws does not move
what another part draws.
"""

import asyncio
import random
from collections.abc import Coroutine
from typing import Any

from madang.world.loop import VirtualLoop

START_S = 1_800_000_000.0


class WorldClock:
    """`jump` sets the wall clock forward or back; the steady one never jumps."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.offset_s = 0.0

    def now_s(self) -> float:
        return START_S + self._loop.now_s + self.offset_s

    def monotonic_s(self) -> float:
        return self._loop.now_s

    def sleep(self, seconds: float) -> Coroutine[Any, Any, None]:
        return asyncio.sleep(seconds)

    def jump(self, seconds: float) -> None:
        self.offset_s += seconds


def dice(seed: int, name: str) -> random.Random:
    return random.Random(f"{seed}/{name}")
