"""The store: durable writes a second, memory an object, lists, watches, loading, the collector's longest pause."""

import asyncio
import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import orjson

from bench.table import Measure, show
from madang.api.index import Index
from madang.ports.clock import SystemClock
from madang.ports.objects import Key, Obj
from madang.store.collector import tune_collector
from madang.store.durable import open_store
from madang.store.journaled import JournaledStore
from madang.store.model import Encode

PODS, IN_FLIGHT, RUNS = 15_000, 32, 3


def pod(number: int) -> Obj:
    """About 1.5 kB, as a pod with a status is."""
    containers = [
        {
            "name": f"c{n}",
            "image": "registry.example/shop/web:1.2.3",
            "env": [{"name": f"VARIABLE_{i}", "value": "value of it"} for i in range(6)],
            "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
        }
        for n in range(2)
    ]
    kinds = ("PodScheduled", "Initialized", "ContainersReady", "Ready")
    return {
        "metadata": {
            "name": f"web-{number:06}",
            "namespace": f"team-{number % 20}",
            "labels": {"app": f"app-{number % 200}", "pod-template-hash": f"{number % 400:08x}"},
            "ownerReferences": [{"kind": "ReplicaSet", "uid": f"00000000-0000-4000-8000-{number % 400:012}"}],
        },
        "spec": {"nodeName": f"node-{number % 50}", "containers": containers},
        "status": {"conditions": [{"type": t, "status": "True", "at": "2030-01-01T00:00:00Z"} for t in kinds]},
    }


INDEX = Index()  # the api's own: it remembers what it has just encoded, so that a write decodes nothing
index = INDEX.terms


def encoder(obj: Obj) -> tuple[Key, Encode]:
    meta = obj["metadata"]
    return Key("pods", meta["namespace"], meta["name"]), lambda revision: INDEX.encode(obj, revision)


async def fill(store: JournaledStore, objs: Iterable[Obj], in_flight: int) -> float:
    """Writes a second."""
    queue, written = iter(objs), 0

    async def work() -> None:
        nonlocal written
        for obj in queue:
            key, encode = encoder(obj)
            await store.put(key, encode, expect=None)
            written += 1

    started = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(in_flight)))
    return written / (time.perf_counter() - started)


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    started = time.perf_counter()
    await work()
    return (time.perf_counter() - started) * 1000


async def load(path: Path) -> dict[str, float]:
    """In a process of its own, whose memory nothing else has stirred."""
    gc.collect()
    before, started = resident_bytes(), time.perf_counter()
    store = await open_store(path, index, SystemClock())
    load_ms = (time.perf_counter() - started) * 1000
    gc.collect()
    grown = resident_bytes() - before
    data = sum(len(entry.data) for entry in store.list("pods").entries)
    await store.close()
    return {"load_ms": load_ms, "data_bytes": data / PODS, "more_bytes": (grown - data) / PODS}


def loading(path: Path) -> list[Measure]:
    child = [sys.executable, "-m", "bench.store", str(path)]
    told = [orjson.loads(subprocess.run(child, stdout=subprocess.PIPE, check=True).stdout) for _ in range(RUNS)]
    return [
        Measure(f"load {PODS:,} pods at start", [run["load_ms"] for run in told], "ms"),
        Measure("bytes of one pod", [run["data_bytes"] for run in told], "B"),
        Measure("memory for one, beyond its bytes", [run["more_bytes"] for run in told], "B", "a few hundred"),
    ]


async def reading(store: JournaledStore) -> list[Measure]:
    async def every() -> None:
        store.list("pods")

    async def by_label() -> None:
        store.list("pods", "team-3", terms=[("label", "app=app-3")])

    at = store.revision
    await fill(store, [pod(n) for n in range(50)], 1)

    async def page() -> None:
        store.list("pods", after=("team-10", ""), limit=500, at=at)

    return [
        Measure(f"list of {PODS:,}", [await timed(every) for _ in range(9)], "ms"),
        Measure("list of 75 by a label", [await timed(by_label) for _ in range(9)], "ms"),
        Measure("a page of 500 of a past revision", [await timed(page) for _ in range(9)], "ms"),
    ]


async def watching(store: JournaledStore) -> list[Measure]:
    watchers, seen = 50, 0
    watches = [store.watch("pods") for _ in range(watchers)]

    async def follow(number: int) -> None:
        nonlocal seen
        while changes := await watches[number].next():
            seen += len(changes)

    tasks = [asyncio.create_task(follow(n)) for n in range(watchers)]
    rate = await fill(store, [pod(n) for n in range(5_000)], IN_FLIGHT)
    for watch in watches:
        watch.close()
    await asyncio.gather(*tasks)
    return [
        Measure(f"writes while {watchers} watch all of it", [rate], "/s"),
        Measure("changes handed out", [seen / (5_000 / rate)], "/s"),
    ]


class Pauses:
    """Listens to the collector."""

    def __init__(self) -> None:
        self.longest_ms = 0.0
        self._started = 0.0

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._started = time.perf_counter()
        else:
            self.longest_ms = max(self.longest_ms, (time.perf_counter() - self._started) * 1000)


async def pausing(store: JournaledStore) -> float:
    """The longest pause while pods are written, read decoded, and listed."""
    pauses = Pauses()
    gc.callbacks.append(pauses)
    try:
        await fill(store, (pod(n) for n in range(0, PODS, 2)), IN_FLIGHT)
        for entry in store.list("pods").entries:
            entry.obj["metadata"]
        await fill(store, (pod(n) for n in range(1, PODS, 2)), IN_FLIGHT)
    finally:
        gc.callbacks.remove(pauses)
    return pauses.longest_ms


async def measure(folder: Path) -> list[Measure]:
    pods = [pod(n) for n in range(PODS)]
    tune_collector()  # the pods wait as dicts, which nobody would do in the house
    rates = []
    for run in range(RUNS):
        store = await open_store(folder / f"{run}.db", index, SystemClock())
        rates.append(await fill(store, pods, IN_FLIGHT))
        await store.close()
    one = await open_store(folder / "one.db", index, SystemClock())
    singles = [1000 / await fill(one, pods[:300], 1) for _ in range(RUNS)]
    await one.close()
    del pods, one, store
    found = loading(folder / "0.db")
    store = await open_store(folder / "0.db", index, SystemClock())
    found += await reading(store) + await watching(store)
    gc.unfreeze()
    gc.set_threshold(700, 10, 10)
    untuned = await pausing(store)
    tune_collector()
    tuned = [await pausing(store) for _ in range(RUNS)]
    await store.close()
    return [
        Measure(f"durable creates, {IN_FLIGHT} in flight", rates, "/s", "20,000 /s", "Kubernetes API 1,025 /s (HTTP)"),
        Measure("one durable write alone", singles, "ms"),
        *found,
        Measure("longest pause of the collector, untuned", [untuned], "ms"),
        Measure("longest pause of the collector, tuned", tuned, "ms", "10 ms"),
    ]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="madang-bench-") as folder:
        try:
            import uvloop
        except ImportError:
            measures = asyncio.run(measure(Path(folder)))
        else:
            measures = uvloop.run(measure(Path(folder)))
    show("store", measures)


if __name__ == "__main__":
    sys.stdout.buffer.write(orjson.dumps(asyncio.run(load(Path(sys.argv[1])))))
