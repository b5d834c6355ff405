"""A pause that an event may end."""

import asyncio

from madang.ports.clock import Clock


async def pause(clock: Clock, seconds: float, woken: asyncio.Event) -> None:
    """Until the event is set; when the time has passed it is set here (who waits again clears it first, anyway)."""
    timer = asyncio.ensure_future(clock.sleep(seconds))
    timer.add_done_callback(lambda _: woken.set())
    try:
        await woken.wait()
    finally:
        if not timer.done():
            timer.cancel()
            await asyncio.gather(timer, return_exceptions=True)
