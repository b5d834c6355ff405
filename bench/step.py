"""A CPU-bound service under a step of load: from its first request to a second replica that is ready."""

import asyncio
import time
from typing import Any

from bench.court import Court, courtyard, free_port, load
from bench.load import Load
from bench.service import NAME, Pods, objects, own_starts_ms
from bench.table import Measure, show

ROUNDS, BURN_MS, RATE, REST_S = 7, 10, 25, 5.0


def autoscaler() -> dict[str, Any]:
    """Fifty percent of a tenth of a core; the step asks for a quarter of one."""
    target = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
    }
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": NAME},
        "minReplicas": 1,
        "maxReplicas": 2,
        "metrics": [target],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
    }
    meta = {"name": NAME, "namespace": "default"}
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": meta, "spec": spec}


async def steps(court: Court) -> tuple[list[float], list[float]]:
    """Seconds from the step to two ready, and from the end of the load to one again."""
    port = free_port()
    api = court.api()
    pods = Pods(api)
    following = asyncio.create_task(pods.follow())
    up, down = [], []
    try:
        for kind, obj in objects(port, 1, court.root / "starts", burn_ms=BURN_MS, cpu="100m"):
            await api.create(kind, obj, namespace="default")
        await api.create("horizontalpodautoscalers.autoscaling", autoscaler(), namespace="default")
        await pods.until(1)
        for _ in range(ROUNDS):
            await asyncio.sleep(REST_S)
            begin = time.monotonic()
            shooting = asyncio.create_task(Load(port, RATE).run())
            try:
                up.append(await pods.until(2) - begin)
            finally:
                shooting.cancel()
                await asyncio.gather(shooting, return_exceptions=True)
            begin = time.monotonic()
            down.append(await pods.until(1) - begin)
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await api.close()
    return up, down


def main() -> None:
    with courtyard() as court:
        court.run("up", "--detach")
        up, down = asyncio.run(steps(court))
        own = [ms / 1000 for ms in own_starts_ms(court.root / "starts")]
    show(
        f"A step of load ({load()})",
        [
            Measure("step of load to the second replica ready", up, "s", "3 s + own start", "27 s mean"),
            Measure("the program's own start", own, "s"),
            Measure("end of the load to one replica again", down, "s"),
        ],
    )
