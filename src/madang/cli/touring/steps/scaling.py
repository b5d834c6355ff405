"""Step 4, horizontal scaling: by hand, and by itself under load.

By hand: two instances more of `cart`, and back. By itself: work for `catalog` until its autoscaler has added one, where
it has an autoscaler with room; then it is given back its number. Figures: seconds of either way, and what came of the
requests.
"""

import asyncio
import time
from collections.abc import Collection

from madang.cli.touring import sight
from madang.cli.touring.ground import PROJECT
from madang.cli.touring.load import shopping
from madang.cli.touring.stage import Stage
from madang.ports.objects import Obj

BY_HAND, BY_ITSELF = "cart", "catalog"
MORE = 2
RATE = 20
WORK_RATE, WORK = 25, "/work?ms=30"  # three quarters of a core: twice what two instances have reserved
TOLD_S = 1.0  # until the autoscaler's status says what it has done
CALM_S = 2.0  # until the samples know that the load has ended
TRIES = 10


async def show(stage: Stage) -> None:
    page = await stage.page()
    async with shopping(page, RATE) as people:
        seconds = await by_hand(stage)
    added = await by_itself(stage)
    stage.telling.see("scaling.see")
    itself = {} if added is None else {"autoscaled_s": added}
    stage.measured(scaled_s=seconds, **people.told().figures(), **itself)


async def by_hand(stage: Stage) -> float:
    had = await replicas(stage, BY_HAND)
    promise = stage.ground.promise("scale", "-n", PROJECT, BY_HAND, str(had))
    begun = time.monotonic()
    async with sight.awaiting(f"{had + MORE} of {BY_HAND}", ready_at_least(stage, BY_HAND, had + MORE)) as more:
        await stage.madang("scale", BY_HAND, str(had + MORE))
        seconds = await more() - begun
    await stage.madang("kubectl", "get", "pods", "-l", f"madang.dev/service={BY_HAND}")
    await stage.madang("scale", BY_HAND, str(had))
    stage.ground.kept(promise)
    return seconds


async def by_itself(stage: Stage) -> float | None:
    """Seconds from the first request of the load to one instance more, ready; None without an autoscaler."""
    had = await replicas(stage, BY_ITSELF)
    scalers = await sight.objects(stage.court, "horizontalpodautoscalers.autoscaling", PROJECT)
    mine = [s for s in scalers if s["spec"]["scaleTargetRef"]["name"] == BY_ITSELF]
    if not mine or mine[0]["spec"]["maxReplicas"] <= had:
        return None
    url = await sight.service_url(stage.court, PROJECT, BY_ITSELF)
    stage.telling.see("scaling.load", rate=WORK_RATE)
    promise = stage.ground.promise("scale", "-n", PROJECT, BY_ITSELF, str(had))
    grows = ready_at_least(stage, BY_ITSELF, had + 1)
    async with (
        sight.awaiting(f"{had + 1} of {BY_ITSELF}", grows) as more,
        shopping(url + WORK, WORK_RATE) as people,
    ):
        seconds = await more() - people.begun
        await asyncio.sleep(TOLD_S)
        await stage.madang("kubectl", "get", "hpa", BY_ITSELF)
    await asyncio.sleep(CALM_S)
    await give_back(stage, had)
    stage.ground.kept(promise)
    return seconds


async def give_back(stage: Stage, had: int) -> None:
    """The number of before; again where a late sample has made it grow once more."""
    await stage.madang("scale", BY_ITSELF, str(had))
    for _ in range(TRIES):
        await asyncio.sleep(CALM_S)
        if await replicas(stage, BY_ITSELF) == had:
            return
        await stage.madang("scale", BY_ITSELF, str(had), quiet=True)


async def replicas(stage: Stage, service: str) -> int:
    found = await sight.objects(stage.court, "deployments.apps", PROJECT)
    return int(next(d for d in found if d["metadata"]["name"] == service)["spec"].get("replicas", 1))


def ready_at_least(stage: Stage, service: str, wanted: int) -> sight.Look:
    def holds(pods: Collection[Obj]) -> bool:
        return sight.ready(pods, service) >= wanted

    return sight.seen(stage.court, "pods", PROJECT, holds)
