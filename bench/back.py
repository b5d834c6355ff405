"""A container killed with -9, ten times, after ten seconds of readiness each: until a watch sees it ready again.

One pod with one container of busybox; what is killed is its first process, from outside, as the kernel would.
"""

import asyncio
import json
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.containers import IMAGE, layer, pod, store
from bench.court import Court, courtyard, load
from bench.table import Measure, show

KILLS = int(os.environ.get("BENCH_KILLS", "10"))
READY_S = 10.0


def first_process(court: Court) -> int:
    found = list((court.home / "pods").glob("*/containers/main/*/running.json"))
    return int(json.loads(max(found, key=lambda path: path.stat().st_mtime).read_text())["pid"])


async def killed(court: Court) -> list[float]:
    """Milliseconds, kill by kill."""
    api, seen = court.api(), asyncio.Condition()
    ready_at: dict[int, float] = {}  # restarts -> when it was ready

    async def follow() -> None:
        async for change in api.watch("pods", "default"):
            if change.type == "BOOKMARK":
                continue
            for status in change.entry.obj["status"].get("containerStatuses") or ():
                if status["ready"]:
                    ready_at.setdefault(status["restartCount"], time.perf_counter())
            async with seen:
                seen.notify_all()

    following = asyncio.create_task(follow())
    try:
        await api.create("pods", pod("back"), namespace="default")
        took = []
        for number in range(KILLS):
            async with seen:
                await asyncio.wait_for(seen.wait_for(lambda n=number: n in ready_at), 60)
            await asyncio.sleep(READY_S + 0.5)
            died = time.perf_counter()
            os.kill(first_process(court), signal.SIGKILL)
            async with seen:
                await asyncio.wait_for(seen.wait_for(lambda n=number: n + 1 in ready_at), 60)
            took.append((ready_at[number + 1] - died) * 1000)
        return took
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await api.close()


def main() -> None:
    found = shutil.which("busybox")
    if found is None:
        print("back: not measured: no busybox here (Debian: apt-get install busybox-static)")
        return
    with tempfile.TemporaryDirectory(prefix="madang-bench-") as top, courtyard() as court:
        store(Path(top) / "image.tar", layer(Path(found)))
        court.run("image", "load", str(Path(top) / "image.tar"), "--tag", IMAGE)
        court.run("up", "--detach")
        took = asyncio.run(killed(court))
    measures: list[Any] = [
        Measure("killed container ready again: the first time", took[:1], "ms", "150 ms", "380 ms"),
        Measure(f"... the time after {len(took) - 1} others", took[-1:], "ms", "150 ms", "14.7 s, the second time"),
        Measure("... all", took, "ms", "150 ms"),
    ]
    show(f"A container killed with -9, {READY_S:.0f} s of readiness before each ({load()})", measures)
