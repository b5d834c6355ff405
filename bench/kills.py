"""One of two replicas killed with -9, 20 times, at 500 requests/s through the gateway; and a crash loop, apart.

Ten seconds of readiness before each kill. Counted are failed requests by method (nothing is tried again by the
client), how long the dead instance stays in HAProxy's rotation, and how long until two are ready again.
"""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

from bench.court import Court, courtyard, free_port, load
from bench.load import Load
from bench.service import NAME, Pods, objects, own_starts_ms, processes
from bench.table import Measure, show
from madang.haproxy import admin

KILLS, READY_S, RATE, POSTS = 20, 10.0, 500, 0.1
LOOPS = 4


async def in_rotation(talk: admin.Session) -> int:
    """Servers of the service that HAProxy sends requests to."""
    rows = [line.split() for line in (await talk.ask("show servers state")).splitlines()]
    return sum(1 for r in rows if len(r) > 6 and f":{NAME}:" in r[1] and r[5] == "2" and r[6] == "0")


async def out_of_rotation(path: Path, died: float, usual: int) -> float:
    async with admin.session(path) as talk:
        while await in_rotation(talk) >= usual:
            await asyncio.sleep(0.001)
            if time.monotonic() - died > 5:
                break
    return (time.monotonic() - died) * 1000


def runtime_socket(home: Path) -> Path:
    found = list((home / "run").glob("gateway-*.sock"))
    return max(found, key=lambda p: p.stat().st_mtime)


async def one_kill(court: Court, pods: Pods, victim: int) -> tuple[float, float, float]:
    """Milliseconds: out of rotation, two ready again; and the moment of the kill."""
    path = runtime_socket(court.home)
    async with admin.session(path) as talk:
        usual = await in_rotation(talk)
    died = time.monotonic()
    os.kill(victim, signal.SIGKILL)
    leaving = asyncio.create_task(out_of_rotation(path, died, usual))
    await pods.until(1)
    back = await pods.until(2)
    out = await leaving
    async with admin.session(path) as talk:
        for _ in range(1000):
            if await in_rotation(talk) >= usual:
                break
            await asyncio.sleep(0.001)
    return out, (back - died) * 1000, died


async def kills(court: Court) -> list[Measure]:
    port = free_port()
    starts = court.root / "starts"
    api = court.api()
    pods = Pods(api)
    following = asyncio.create_task(pods.follow())
    shooting = None
    try:
        for kind, obj in objects(port, 2, starts):
            await api.create(kind, obj, namespace="default")
        await pods.until(2)
        await asyncio.sleep(1)
        load_ = Load(port, RATE, posts=POSTS)
        shooting = asyncio.create_task(load_.run())
        outs, backs, died = [], [], []
        for _ in range(KILLS):
            await asyncio.sleep(READY_S + 0.5)
            for column, value in zip(
                (outs, backs, died), await one_kill(court, pods, random.choice(processes())), strict=True
            ):
                column.append(value)
        await asyncio.sleep(1)
        own = own_starts_ms(starts)[2:]
        loop, other = [], processes()[0]
        for _ in range(LOOPS):  # the same one, killed as soon as it is in rotation again
            (victim,) = set(processes()) - {other}
            loop.append((await one_kill(court, pods, victim))[1] / 1000)
    finally:
        for task in (shooting, following):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        await api.close()
    return told(load_, outs, backs, died, own, loop)


def told(
    load_: Load, outs: list[float], backs: list[float], died: list[float], own: list[float], loop: list[float]
) -> list[Measure]:
    calm = [o for o in load_.outcomes if o.due < died[-1] + 1]
    counted = Counter((o.method, o.status) for o in calm)
    print(f"{len(calm)} requests, {KILLS} kills: {dict(counted)}; {load_.closed_idle} idle connections were closed")
    for o in calm:
        if o.status != "200":
            at = max((moment for moment in died if moment <= o.end), default=died[0])
            print(
                f"failed: {o.method} {o.status}, due {o.due - at:.3f} s after a kill, {(o.end - o.due) * 1000:.1f} ms"
            )
    slow = [max((o.end - o.due) * 1000 for o in calm if 0 <= o.due - at < 1) for at in died]
    failed = {
        m: sum(n for (method, status), n in counted.items() if method == m and status != "200") for m in ("GET", "POST")
    }
    print(f"crash loop, seconds until ready again: {', '.join(f'{s:.2f}' for s in loop)}")
    return [
        Measure(f"failed GETs of {sum(o.method == 'GET' for o in calm):,}", [failed["GET"]], "", "0"),
        Measure(f"failed POSTs of {sum(o.method == 'POST' for o in calm):,}", [failed["POST"]], "", "counted"),
        Measure("out of rotation after the kill", outs, "ms", "50 ms, worst"),
        Measure("two ready again after the kill", backs, "ms", "150 ms + own start, worst", "0.38 s, then 14.7 s"),
        Measure("the program's own start", own, "ms"),
        Measure(
            "two ready again, without the own start",
            [b - o for b, o in zip(backs, own, strict=True)],
            "ms",
            "150 ms, worst",
        ),
        Measure("slowest request in the second after", slow, "ms"),
    ]


def main() -> None:
    with courtyard() as court:
        court.run("up", "--detach")
        measures = asyncio.run(kills(court))
    show(f"One of two killed with -9 at {RATE} requests/s ({load()})", measures)
