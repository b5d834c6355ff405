"""Step 1, the start: from a Compose file to five services that are ready.

Where the shop runs already it is only looked at. `bring` starts it for any other step. Figures: seconds from the
command to all ready, milliseconds of the first page, how many instances.
"""

import asyncio
import time
import urllib.request
from typing import Any

from madang.cli import courtyards
from madang.cli.house import namespace_of
from madang.cli.touring import sight
from madang.cli.touring.ground import PROJECT, SHOP, Ground, free_port
from madang.cli.touring.stage import Stage


async def show(stage: Stage) -> None:
    figures: dict[str, Any] = {}
    if stage.ground.found_shop:
        await stage.run("madang", "status")
    else:
        figures["ready_s"] = await bring(stage)
    page = await stage.page()
    figures["page_ms"] = await asyncio.to_thread(look, page)
    figures["instances"] = len(await sight.pods(stage.court, PROJECT))
    stage.telling.see("start.see", page=page)
    stage.measured(**figures)


async def bring(stage: Stage, *, quiet: bool = False) -> float:
    """Starts the shop, and leaves the promise that it goes again; how many seconds that took."""
    promise_end(stage.ground)
    port = free_port()
    begun = time.monotonic()
    before = {"SHOP_PORT": port} if port else None
    await stage.run("madang", "up", SHOP, "--detach", before=before, quiet=quiet)
    return time.monotonic() - begun


def promise_end(ground: Ground) -> None:
    court = courtyards.find(ground.name)
    if not court.home.exists():
        ground.promise("down", "--purge")
        return
    ground.promise("kubectl", "config", "set-context", "--current", f"--namespace={namespace_of(court, '')}")
    ground.promise("kubectl", "delete", "namespace", PROJECT, "--ignore-not-found")


def look(page: str) -> float:
    begun = time.monotonic()
    with urllib.request.urlopen(page, timeout=10) as answer:
        answer.read()
    return (time.monotonic() - begun) * 1000
