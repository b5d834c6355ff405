"""What a step sees of the courtyard: pods, programs by their pids, and the moment at which something comes true.

In: a running courtyard. Out: moments in monotonic seconds, pods, pids. `awaiting` begins to look before the step acts,
so that nothing is missed between two looks.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any

from madang.app.application import SERVICE
from madang.app.progress import is_ready
from madang.cli.courtyards import Courtyard
from madang.cli.house import remote
from madang.cli.refusal import Refusal
from madang.everyday.harm import program_of
from madang.kinds import times
from madang.node.names.service_ports import service_port
from madang.ports.objects import Obj

PATIENCE_S = 60.0
Holds = Callable[[Collection[Obj]], bool]
Look = Coroutine[Any, Any, float]
Came = Callable[[], Look]


async def objects(court: Courtyard, kind: str, namespace: str) -> list[Obj]:
    async with remote(court) as api:
        return [entry.obj for entry in (await api.list(kind, namespace)).entries]


async def pods(court: Courtyard, namespace: str, service: str = "") -> list[Obj]:
    return [p for p in await objects(court, "pods", namespace) if not service or of(p, service)]


def of(pod: Obj, service: str) -> bool:
    return bool((pod["metadata"].get("labels") or {}).get(SERVICE) == service)


def ready(found: Iterable[Obj], service: str) -> int:
    """How many instances of a service are ready and not about to go."""
    return sum(1 for p in found if of(p, service) and is_ready(p) and not p["metadata"].get("deletionTimestamp"))


def restarts(found: Iterable[Obj], service: str) -> int:
    return sum(
        status.get("restartCount", 0)
        for p in found
        if of(p, service)
        for status in (p.get("status") or {}).get("containerStatuses") or ()
    )


def ready_for_s(pod: Obj) -> float:
    """How long a pod has been ready; 0 where it is not."""
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition["type"] == "Ready" and condition["status"] == "True":
            return time.time() - times.parse(condition["lastTransitionTime"])
    return 0.0


def programs(court: Courtyard, found: Iterable[Obj]) -> dict[str, int]:
    """The living program of each pod: name -> pid."""
    return {one.pod: one.pid for p in found if (one := program_of(court.home, p))}


async def service_url(court: Courtyard, namespace: str, service: str) -> str:
    """Where a Service is reached on this machine, on either network."""
    async with remote(court) as api:
        found = await api.get("services", namespace, service)
    return f"http://{found['spec']['clusterIP']}:{service_port(found, found['spec']['ports'][0])}"


async def seen(court: Courtyard, kind: str, namespace: str, holds: Holds) -> float:
    """The moment at which `holds` became true of all objects of a kind, by a watch."""
    found: dict[str, Obj] = {}
    async with remote(court) as api:
        async for change in api.watch(kind, namespace):
            name = change.entry.key.name
            if change.type == "DELETED":
                found.pop(name, None)
            elif change.type in ("ADDED", "MODIFIED"):
                found[name] = change.entry.obj
            if holds(found.values()):
                return time.monotonic()
    raise Refusal(f"the courtyard {court.name!r} ended while one looked at it")


async def death(pids: Iterable[int]) -> float:
    """The moment at which the first of these processes ended."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[float] = loop.create_future()
    watched: list[int] = []

    def over() -> None:
        if not ended.done():
            ended.set_result(time.monotonic())

    try:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                watched.append(os.pidfd_open(pid))
                loop.add_reader(watched[-1], over)
        return await ended
    finally:
        for descriptor in watched:
            loop.remove_reader(descriptor)
            os.close(descriptor)


@asynccontextmanager
async def awaiting(what: str, look: Look) -> AsyncIterator[Came]:
    """Looks while the block runs; `await came()` gives the moment, or refuses when patience is at its end."""
    looking = asyncio.create_task(look)

    async def came() -> float:
        done, _ = await asyncio.wait({looking}, timeout=PATIENCE_S)
        if not done:
            raise Refusal(f"{what}: not seen within {PATIENCE_S:.0f} s")
        return looking.result()

    try:
        await asyncio.sleep(0)
        yield came
    finally:
        looking.cancel()
        await asyncio.wait({looking})
