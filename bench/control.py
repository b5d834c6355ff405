"""Controllers and placement: created to bound, 50 pods at once, a decision in a small and a large house, idle CPU."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.table import Measure, show
from madang.api.always import ensure
from madang.api.direct import DirectApi
from madang.api.index import Index
from madang.control import collector, deployment, endpointslice, replicaset
from madang.control.controller import Ref
from madang.control.deployment.revisions import new_set
from madang.control.owners import controller_ref
from madang.control.replicaset import new_pod
from madang.loops.house import Loops
from madang.placement.decision import decide
from madang.placement.tally import Tally
from madang.ports.chance import SystemChance
from madang.ports.clock import SystemClock
from madang.ports.objects import Obj
from madang.ports.settings import Addresses, Settings
from madang.store.durable import open_store
from madang.store.memory import memory_store

ALONE, MANY, SMALL, LARGE, DECISIONS = 20, 50, 100, 10_000, 60
SETS, CLOCK, CHANCE = "replicasets.apps", SystemClock(), SystemChance(1)


@asynccontextmanager
async def house(home: Path | None) -> AsyncIterator[DirectApi]:
    """`home` None: in memory."""
    index = Index()
    store = (
        memory_store(index.terms, CLOCK) if home is None else await open_store(home / "state.db", index.terms, CLOCK)
    )
    addresses = Addresses("bridge", "10.244.0.0/16", "10.96.0.0/16", "10.244.0.1")
    settings = Settings("bench", "b1", home or Path("/nonexistent"), addresses)
    api = DirectApi(store, index, CLOCK, CHANCE, settings)
    await ensure(api.desk, "127.0.0.1", 6443)
    loops = None if home is None else asyncio.ensure_future(Loops(api, settings, CLOCK, CHANCE, None, "PEM").run())
    try:
        yield api
    finally:
        if loops is not None:
            loops.cancel()
            await asyncio.gather(loops, return_exceptions=True)
        await store.close()


def workload(name: str, replicas: int) -> Obj:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }


async def until(true: Callable[[], Any]) -> None:
    while not true():  # noqa: ASYNC110 - any state of the view is awaited
        await asyncio.sleep(0)


async def binding() -> list[Measure]:
    """On a durable store: an fsync before each state is seen."""
    with tempfile.TemporaryDirectory(prefix="madang-bench-") as folder:
        async with house(Path(folder)) as api:
            await api.create("nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}})
            has = {"cpu": "64", "memory": "64Gi", "pods": "500"}
            status = {"allocatable": has, "conditions": [{"type": "Ready", "status": "True"}]}
            await api.patch("nodes", "", "n", {"status": status}, subresource="status")
            await until(lambda: not (api.view.get("nodes", "", "n") or {})["spec"].get("taints"))
            alone = [await bound_ms(api, i) for i in range(ALONE)]
            start = time.perf_counter()
            await api.create("deployments.apps", workload("many", MANY), namespace="default")
            await until(lambda: len(api.view.list("pods", "default", node="n")) == ALONE + MANY)
            many = (time.perf_counter() - start) * 1000
            await asyncio.sleep(1)
            before = time.process_time()
            await asyncio.sleep(3)
            idle = (time.process_time() - before) / 3 * 100
    return [
        Measure("pod created to bound, alone, durable", alone, "ms"),
        Measure(f"Deployment created to {MANY} pods bound, durable", [many], "ms", peer="278 pods/s on 500 nodes"),
        Measure("loops, API and store at rest", [idle], "% of a core", goal="0.5 with all else", peer="2 to 4"),
    ]


async def bound_ms(api: DirectApi, number: int) -> float:
    name = f"alone-{number}"
    spec = {"containers": [{"name": "c", "image": "i"}]}
    start = time.perf_counter()
    await api.create(
        "pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}, namespace="default"
    )
    await until(lambda: (api.view.get("pods", "default", name) or {})["spec"].get("nodeName"))
    return (time.perf_counter() - start) * 1000


async def fill(api: DirectApi, pods: int) -> None:
    """Deployments of ten pods each, as their controllers would have made them."""
    for number in range(pods // 10):
        await api.create("deployments.apps", workload(f"d{number}", 10), namespace="default")
        d: Any = api.view.get("deployments.apps", "default", f"d{number}")
        made = (await api.create(SETS, new_set(d, []), namespace="default")).obj
        reference, taken = controller_ref(made, "apps/v1", "ReplicaSet"), set[str]()
        made_pods = [new_pod(made, reference, taken, api.view, CHANCE) for _ in range(10)]
        await asyncio.gather(*(api.create("pods", p, namespace="default") for p in made_pods))
    spec = {"selector": {"app": "d0"}, "ports": [{"port": 80}]}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": spec}
    await api.create("services", service, namespace="default")


async def decisions(pods: int) -> list[Measure]:
    async with house(None) as api:
        await fill(api, pods)
        one = {"app": "d0"}
        names = [api.view.list(kind, "default", labels=one)[0]["metadata"]["name"] for kind in (SETS, "pods")]
        keys: list[tuple[ModuleType, str]] = [
            (deployment, "d0"), (replicaset, names[0]), (endpointslice, "s"), (collector, f"pods/{names[1]}")
        ]  # fmt: skip
        return [
            Measure(f"{module.NAME}: one decision among {pods:,} pods", list(timed(module, key, api)), "us",
                    goal="" if pods == SMALL else "2 x that of 100")
            for module, key in keys
        ]  # fmt: skip


def timed(module: ModuleType, key: str, api: DirectApi) -> Iterable[float]:
    for _ in range(DECISIONS):
        start = time.perf_counter()
        module.decide(Ref("default", key), api.view, CLOCK.now_s(), CHANCE)
        yield (time.perf_counter() - start) * 1e6


def placement(nodes: int, pods: int) -> Measure:
    tally = Tally()
    for i in range(nodes):
        has = {"cpu": "16", "memory": "64Gi", "pods": "110"}
        tally.set_node({"metadata": {"name": f"n{i}"}, "status": {"allocatable": has}})
    container = {"name": "c", "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}}
    waiting = [
        {"metadata": {"name": f"p{i}", "namespace": "d", "uid": f"u{i}"}, "spec": {"containers": [container]}}
        for i in range(pods)
    ]
    start = time.perf_counter()
    decide(tally, waiting)
    return Measure(f"placing {pods} pods on {nodes} nodes", [(time.perf_counter() - start) * 1000], "ms")


def main() -> None:
    rows = asyncio.run(binding())
    rows += asyncio.run(decisions(SMALL)) + asyncio.run(decisions(LARGE))
    rows += [placement(nodes, pods) for nodes, pods in ((1, 50), (10, 500), (500, 500))]
    show("control and placement", rows)
