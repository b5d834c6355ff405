"""PodMetrics and NodeMetrics: served from samples, for what stands in the store."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from madang.ports.errors import NotFound
from madang.ports.streams import PodUsage, Usage
from tests.api.house import house, pod
from tests.wire.doors import Client, doors

USAGE = Usage(at_s=1_800_000_000.0, window_s=1.0, cpu_cores=0.25, memory_bytes=3 << 20)


class Sampled:
    def pod(self, namespace: str, name: str) -> PodUsage | None:
        return PodUsage(namespace, name, {"c": USAGE}) if name == "p" else None

    def pods(self, namespace: str | None = None) -> Sequence[PodUsage]:
        return [PodUsage("default", "p", {"c": USAGE})]

    def node(self, name: str) -> Usage | None:
        return USAGE


def test_one_pod_and_one_that_nobody_measured() -> None:
    async def main() -> None:
        async with house() as api:
            api.desk.samples = Sampled()
            await api.create("pods", pod("p"))
            await api.create("pods", pod("q"))
            found = await api.get("pods.metrics.k8s.io", "default", "p")
            assert found["containers"] == [{"name": "c", "usage": {"cpu": "250000000n", "memory": "3072Ki"}}]
            assert found["window"] == "1s" and found["timestamp"].endswith("Z")
            with pytest.raises(NotFound, match=r'pods.metrics.k8s.io "default/q" not found'):
                await api.get("pods.metrics.k8s.io", "default", "q")

    asyncio.run(main())


def test_lists_over_http_select_by_the_pods_labels(tmp_path: Path) -> None:
    async def main() -> None:
        async with doors(tmp_path, samples=Sampled()) as (api, door):
            await api.create("pods", pod("p"))
            await api.create("nodes", {"metadata": {"name": "n1"}})
            client = Client(door)
            listed = (await client("GET", "/apis/metrics.k8s.io/v1beta1/pods?labelSelector=app%3Dp")).body
            assert [item["metadata"]["name"] for item in listed["items"]] == ["p"]
            assert not (await client("GET", "/apis/metrics.k8s.io/v1beta1/pods?labelSelector=app%3Dx")).body["items"]
            nodes = (await client("GET", "/apis/metrics.k8s.io/v1beta1/nodes")).body
            assert nodes["items"][0]["usage"] == {"cpu": "250000000n", "memory": "3072Ki"}

    asyncio.run(main())
