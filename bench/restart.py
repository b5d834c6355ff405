"""The control process killed with -9 beside 100 running pods, and started again: how long until all are adopted.

The pods stand behind one Service, under 200 GETs a second that nobody sends again. Measured are, from the command on:
until `madang up --detach` returns, and until every program is known again by the process that has its own pid; and the
requests that failed from the kill until a second after.
"""

import asyncio
import os
import re
import signal
import time

from bench.court import Court, courtyard, free_port, load, quiet
from bench.load import Load
from bench.service import Pods, objects, processes
from bench.table import Measure, show
from madang.api.remote import RemoteApi

PODS, RATE, KILLS, DEAD_S = 100, 200, 20, 1.0
TOOK_OVER = re.compile(rb"took over (\d+) programs")


async def restarts(court: Court) -> list[Measure]:
    port = free_port()
    api = court.api()
    pods = Pods(api)
    following = asyncio.create_task(pods.follow())
    for kind, obj in objects(port, PODS, court.root / "starts"):
        await api.create(kind, obj, namespace="default")
    await pods.until(PODS, 180)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await api.close()
    await asyncio.sleep(3)
    before = set(processes())
    assert len(before) == PODS, f"{len(before)} programs run"
    shooting = Load(port, RATE)
    task = asyncio.create_task(shooting.run())
    await asyncio.sleep(2)
    returned, adopted, died = [], [], []
    try:
        for _ in range(KILLS):
            await asyncio.to_thread(quiet)
            died.append(time.monotonic())
            os.kill(int(court.status()["pid"]), signal.SIGKILL)
            await asyncio.sleep(DEAD_S)
            back, known = await start(court)
            returned.append(back)
            adopted.append(known)
            await asyncio.sleep(2)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert set(processes()) == before, "a program was stopped"
    failed = [o for o in shooting.outcomes if o.status != "200"]
    for o in failed:
        at = max(moment for moment in died if moment <= o.end)
        print(f"failed {o.due - at:.2f} s after a kill: {o.status}, after {(o.end - o.due) * 1000:.0f} ms")
    slowest = [max((o.end - o.due) * 1000 for o in shooting.outcomes if 0 <= o.due - at < 5) for at in died]
    await settled(court)
    return [
        Measure(f"command to all {PODS} adopted", adopted, "s", "2 s, worst"),
        Measure("command to its return", returned, "s"),
        Measure(f"failed GETs of {len(shooting.outcomes):,}", [len(failed)], "", "0"),
        Measure("slowest request in the five seconds after a kill", slowest, "ms"),
    ]


async def start(court: Court) -> tuple[float, float]:
    """Seconds: until the command returned, until all was adopted."""
    log = court.home / "logs" / "madang.log"
    seen, begin = log.stat().st_size, time.monotonic()
    command = await asyncio.create_subprocess_exec(
        *court.command("up", "--detach"), env=court.env, cwd=court.root, stdout=asyncio.subprocess.DEVNULL
    )
    known = returned = 0.0
    while not (known and returned):
        await asyncio.sleep(0.002)
        if not returned and command.returncode is not None:
            returned = time.monotonic() - begin
        if not known and log.stat().st_size > seen:
            found = [int(number) for number in TOOK_OVER.findall(log.read_bytes()[seen:])]
            known = time.monotonic() - begin if sum(found) == PODS else 0.0
        assert time.monotonic() - begin < 60, "not all were adopted"
    assert command.returncode == 0
    return returned, known


async def settled(court: Court) -> None:
    """All are as ready as they were, and none was started again."""
    api: RemoteApi = court.api()
    try:
        page = await api.list("pods", "default")
    finally:
        await api.close()
    told = [entry.obj["status"]["containerStatuses"][0] for entry in page.entries]
    assert len(told) == PODS and all(one["ready"] and one["restartCount"] == 0 for one in told)


def main() -> None:
    with courtyard() as court:
        court.run("up", "--detach")
        measures = asyncio.run(restarts(court))
    show(f"Control killed with -9 beside {PODS} pods at {RATE} requests/s ({load()})", measures)


if __name__ == "__main__":
    main()
