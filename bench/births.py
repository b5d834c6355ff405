"""Pods from their creation to Running, as a watch sees it: alone, and 50 at once; and what they cost the control."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from bench.court import Court, courtyard, cpu_s, load, quiet
from bench.table import Measure, show
from madang.api.remote import RemoteApi
from madang.ports.program import HOST

ALONE, TOGETHER, ROUNDS = 20, 50, 5


def pod(name: str) -> dict[str, Any]:
    container = {"name": "main", "image": HOST, "command": ["sleep", "1000"]}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 0}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"}, "spec": spec}


class Watch:
    """When each pod was first seen running, and when it went."""

    def __init__(self, api: RemoteApi) -> None:
        self._api = api
        self.running: dict[str, float] = {}
        self.gone: dict[str, float] = {}
        self._told = asyncio.Condition()

    async def follow(self) -> None:
        async for change in self._api.watch("pods", "default"):
            now = time.perf_counter()
            if change.type == "BOOKMARK":
                continue
            name = change.entry.key.name
            if change.type == "DELETED":
                self.gone.setdefault(name, now)
            elif change.entry.obj["status"].get("phase") == "Running":
                self.running.setdefault(name, now)
            async with self._told:
                self._told.notify_all()

    async def until(self, seen: dict[str, float], names: list[str]) -> float:
        """The moment at which the last of them was seen."""
        async with self._told:
            await self._told.wait_for(lambda: all(name in seen for name in names))
        return max(seen[name] for name in names)


async def round_of(
    api: RemoteApi, watch: Watch, names: list[str], make: Callable[[str], dict[str, Any]] = pod
) -> tuple[float, float]:
    """Milliseconds from the first create to the last one Running; and from the first delete to the last one gone."""
    await asyncio.to_thread(quiet)
    begin = time.perf_counter()
    await asyncio.gather(*(api.create("pods", make(name), namespace="default") for name in names))
    up = (await watch.until(watch.running, names) - begin) * 1000
    await asyncio.sleep(0.3)
    begin = time.perf_counter()
    await asyncio.gather(*(api.delete("pods", "default", name) for name in names))
    down = (await watch.until(watch.gone, names) - begin) * 1000
    await asyncio.sleep(0.5)
    return up, down


async def births(court: Court) -> list[Measure]:
    control = int(court.status()["pid"])
    api = court.api()
    watch = Watch(api)
    following = asyncio.create_task(watch.follow())
    try:
        await asyncio.sleep(0.5)
        await round_of(api, watch, ["first"])
        alone = [await round_of(api, watch, [f"alone-{i}"]) for i in range(ALONE)]
        many, used = [], []
        for i in range(ROUNDS):
            before = cpu_s(control)
            many.append(await round_of(api, watch, [f"many-{i}-{j}" for j in range(TOGETHER)]))
            used.append((cpu_s(control) - before) * 1000)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await api.close()
    return [
        Measure("host pod, created to Running seen: alone", [up for up, _ in alone], "ms", "50 ms", "242 ms"),
        Measure(f"{TOGETHER} at once, all", [up for up, _ in many], "ms", "1 s", "7.0 s"),
        Measure("pod, deleted to gone: alone", [down for _, down in alone], "ms"),
        Measure(f"{TOGETHER} at once, all", [down for _, down in many], "ms"),
        Measure(f"CPU of the control, {TOGETHER} made and ended", used, "ms"),
    ]


def main() -> None:
    with courtyard() as court:
        court.run("up", "--detach")
        measures = asyncio.run(births(court))
    show(f"Pods ({load()})", measures)
