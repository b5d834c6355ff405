"""Step 5, the rolling update: a new revision of `web` one instance after the other, and back to the one before.

Figures: seconds of either way, and what came of the requests meanwhile.
"""

import time

from madang.cli.touring.ground import PROJECT
from madang.cli.touring.load import shopping
from madang.cli.touring.stage import Stage

RATE = 20
CHANGE = "TOUR_STEP"  # a variable that nobody reads: a change of the pod template all the same
TARGET = "deployment/web"


async def show(stage: Stage) -> None:
    page = await stage.page()
    promise = stage.ground.promise("kubectl", "-n", PROJECT, "set", "env", TARGET, f"{CHANGE}-")
    async with shopping(page, RATE) as people:
        updated = await rollout(stage, "set", "env", TARGET, f"{CHANGE}=5")
        await stage.madang("kubectl", "get", "replicasets", "-l", "madang.dev/service=web")
        undone = await rollout(stage, "rollout", "undo", TARGET)
    stage.ground.kept(promise)
    stage.telling.see("rolling.see")
    stage.measured(updated_s=updated, undone_s=undone, **people.told().figures())


async def rollout(stage: Stage, *words: str) -> float:
    """From the command to the end of its rollout."""
    begun = time.monotonic()
    await stage.madang("kubectl", *words)
    await stage.madang("kubectl", "rollout", "status", TARGET)
    return time.monotonic() - begun
