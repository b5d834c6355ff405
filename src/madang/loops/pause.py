"""A pause that an event may end."""

import asyncio

from madang.ports.clock import Clock


async def pause(clock: Clock, seconds: float, woken: asyncio.Event) -> None:
    """Until the time has passed, or the event is set."""
    pair = [asyncio.ensure_future(clock.sleep(seconds)), asyncio.ensure_future(woken.wait())]
    try:
        await asyncio.wait(pair, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in pair:
            task.cancel()
        await asyncio.gather(*pair, return_exceptions=True)
