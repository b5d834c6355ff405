"""Step 7, workloads outlive the control plane: it is killed, the shop serves on, and the next start adopts what runs.

Figures: how long there was no control plane and what came of the requests in that time, how quickly the next one had
adopted all, and how many programs run on under the same pid.
"""

import asyncio
import os
import signal
import time

from madang.cli.courtyards import Courtyard
from madang.cli.refusal import Refusal
from madang.cli.touring import sight
from madang.cli.touring.ground import PROJECT
from madang.cli.touring.load import shopping
from madang.cli.touring.stage import Stage

RATE = 20
BEFORE_S, WITHOUT_S, AFTER_S = 0.5, 3.0, 1.0


async def show(stage: Stage) -> None:
    court, page = stage.court, await stage.page()
    before = sight.programs(court, await sight.pods(court, PROJECT))
    again = ["madang", "up", "--detach", *network(court)]
    promise = stage.ground.promise(*again[1:])
    async with shopping(page, RATE) as people:
        await asyncio.sleep(BEFORE_S)
        killed = kill(stage, court)
        await gone(court)
        await stage.run("madang", "status", may_fail=True)
        await asyncio.sleep(WITHOUT_S)
        begun = time.monotonic()
        await stage.run(*again, cwd=stage.ground.nowhere)
        back = time.monotonic()
        await asyncio.sleep(AFTER_S)
    stage.ground.kept(promise)
    await stage.madang("kubectl", "get", "pods")
    after = sight.programs(stage.court, await sight.pods(stage.court, PROJECT))
    stage.telling.see("outliving.see")
    same = f"{len(before.items() & after.items())}/{len(before)}"
    stage.measured(without_s=back - killed, adopted_s=back - begun, **people.told().figures(), programs=same)


def network(court: Courtyard) -> list[str]:
    """What still runs keeps its network, also where the next start would choose another."""
    settings = court.record["settings"]
    return ["--network", settings["network"]] if settings["network"] == "loopback" else []


def kill(stage: Stage, court: Courtyard) -> float:
    pid = int(court.record["pid"])
    stage.telling.command(["kill", "-9", str(pid)])
    stage.commands.setdefault(stage.step, []).append("kill -9")
    os.kill(pid, signal.SIGKILL)
    return time.monotonic()


async def gone(court: Courtyard) -> None:
    """Until the killed process is buried."""
    from madang.cli.courtyards import find

    for _ in range(500):
        if not find(court.name).runs:
            return
        await asyncio.sleep(0.01)
    raise Refusal(f"the control process {court.record['pid']} outlived SIGKILL")
