"""Where the node does what waits for the disk: in a thread beside the loop, or, in a simulated world, at once.

In: a piece of work without arguments. Out: what it returns or raises.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Aside(Protocol):
    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]: ...


async def in_thread(work: Callable[[], T], /) -> T:
    """A folder made while the store waits for the same disk takes milliseconds that nobody else should wait for."""
    return await asyncio.to_thread(work)


async def at_once(work: Callable[[], T], /) -> T:
    return work()
