"""Step 3, self-healing: an instance is killed while people look at the page, and is back by itself.

Figures: from the death of its program to ready again, and what came of the requests meanwhile.
"""

import asyncio
from collections.abc import Collection

from madang.cli.touring import sight
from madang.cli.touring.ground import PROJECT
from madang.cli.touring.load import shopping
from madang.cli.touring.stage import Stage
from madang.ports.objects import Obj

SERVICE = "catalog"
RATE = 20
STEADY_S = 10.0  # an instance that had been ready for so long is restarted at once; else a pause comes first
BEFORE_S, AFTER_S = 1.0, 1.0


async def show(stage: Stage) -> None:
    court, page = stage.court, await stage.page()
    await steady(stage)
    found = await sight.pods(court, PROJECT, SERVICE)
    restarts, wanted = sight.restarts(found, SERVICE), sight.ready(found, SERVICE)

    def healed(pods: Collection[Obj]) -> bool:
        return sight.restarts(pods, SERVICE) > restarts and sight.ready(pods, SERVICE) >= wanted

    dies = sight.death(sight.programs(court, found).values())
    heals = sight.seen(court, "pods", PROJECT, healed)
    async with (
        sight.awaiting("a death", dies) as died,
        sight.awaiting("the healing", heals) as back,
        shopping(page, RATE) as people,
    ):
        await asyncio.sleep(BEFORE_S)
        await stage.madang("break", SERVICE)
        death, again = await died(), await back()
        await asyncio.sleep(AFTER_S)
    await stage.madang("kubectl", "get", "pods", "-l", f"madang.dev/service={SERVICE}")
    stage.telling.see("healing.see")
    stage.measured(healed_s=again - death, **people.told().figures())


async def steady(stage: Stage) -> None:
    """Until all its instances have been ready for a while."""
    pods = await sight.pods(stage.court, PROJECT, SERVICE)
    left = STEADY_S - min((sight.ready_for_s(p) for p in pods), default=0.0)
    if left > 0:
        stage.telling.see("healing.wait", seconds=f"{left:.0f}", steady=f"{STEADY_S:.0f}")
        await asyncio.sleep(left)
