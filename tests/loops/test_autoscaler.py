"""Load rises, and a second later there are more replicas, through the API's scale subresource."""

import asyncio
from typing import Any

from madang.ports.streams import PodUsage, Usage
from tests.loops.node import CLOCK, running, until
from tests.loops.test_house import DEPLOYMENTS, available, deployment


class Load:
    """Every pod works so hard."""

    def __init__(self, cores: float) -> None:
        self.cores, self.api = cores, None

    def pods(self, namespace: str | None = None) -> list[PodUsage]:
        view: Any = self.api.view  # type: ignore[attr-defined]
        now = CLOCK.now_s() + 5  # a window that lies wholly after readiness
        return [
            PodUsage("default", p["metadata"]["name"], {"c": Usage(now, 1.0, self.cores, 2**20)})
            for p in view.list("pods", namespace)
        ]

    def pod(self, namespace: str, name: str) -> PodUsage | None:
        return None

    def node(self, name: str) -> Usage | None:
        return None


def test_replicas_follow_load() -> None:
    async def story() -> None:
        load = Load(0.05)
        async with running(samples=load) as api:
            load.api = api  # type: ignore[assignment]
            d = deployment(1)
            d["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "100m"}}
            await api.create(DEPLOYMENTS, d, namespace="default")
            await until(api, lambda: available(api, 1))
            cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}
            hpa = {
                "apiVersion": "autoscaling/v2",
                "kind": "HorizontalPodAutoscaler",
                "metadata": {"name": "h", "namespace": "default"},
                "spec": {
                    "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"},
                    "minReplicas": 1,
                    "maxReplicas": 3,
                    "metrics": [{"type": "Resource", "resource": cpu}],
                },
            }
            await api.create("horizontalpodautoscalers.autoscaling", hpa, namespace="default")

            def status() -> dict[str, Any]:
                found = api.view.get("horizontalpodautoscalers.autoscaling", "default", "h") or {}
                return found.get("status") or {}

            await until(api, lambda: status().get("currentReplicas") == 1)
            load.cores = 0.4
            await until(api, lambda: available(api, 3))
            await until(api, lambda: status().get("desiredReplicas") == 3)
            await until(
                api, lambda: any(e["reason"] == "SuccessfulRescale" for e in api.view.list("events", "default"))
            )

    asyncio.run(story())
