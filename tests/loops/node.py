"""A make-believe node: registered with the API, starts pods that are bound to it, lets go of what is deleted."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from madang.api.direct import DirectApi
from madang.kinds.times import format_seconds
from madang.loops.house import Loops
from madang.ports.api import DeleteOptions
from madang.ports.chance import SystemChance
from madang.ports.clock import SystemClock
from madang.ports.errors import StatusError
from tests.api.house import house, settings

CLOCK = SystemClock()


async def register(api: DirectApi, name: str = "node-1", cpu: str = "4", memory: str = "8Gi") -> None:
    capacity = {"cpu": cpu, "memory": memory, "pods": "110"}
    node = {"kind": "Node", "apiVersion": "v1", "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}}}
    await api.create("nodes", node)
    ready = [{"type": "Ready", "status": "True", "reason": "KubeletReady"}]
    status = {"capacity": capacity, "allocatable": capacity, "conditions": ready}
    await api.patch("nodes", "", name, {"status": status}, subresource="status")


class Node:
    """`ends`: what becomes of a started pod's program: None runs on, else its phase."""

    def __init__(self, api: DirectApi, ends: Callable[[dict[str, Any]], str | None] = lambda pod: None) -> None:
        self._api, self._ends, self._ip = api, ends, 0

    async def run(self) -> None:
        async for change in self._api.watch("pods"):
            pod = change.entry.obj
            if change.type == "DELETED" or not pod["spec"].get("nodeName"):
                continue
            with suppress(StatusError):  # it changed under our hands: the next change tells
                await self._step(pod)

    async def _step(self, pod: dict[str, Any]) -> None:
        meta, phase = pod["metadata"], pod["status"].get("phase", "Pending")
        namespace, name = meta["namespace"], meta["name"]
        if "deletionTimestamp" in meta:
            if phase in ("Pending", "Running"):
                await self._status(pod, "Succeeded" if phase == "Running" else "Failed", ready=False)
            await self._api.delete("pods", namespace, name, DeleteOptions(grace_s=0))
        elif phase == "Pending":
            self._ip += 1
            await self._status(pod, "Running", ready=True, ip=f"10.244.0.{self._ip}")
        elif phase == "Running" and (end := self._ends(pod)):
            await self._status(pod, end, ready=False)

    async def _status(self, pod: dict[str, Any], phase: str, *, ready: bool, ip: str = "") -> None:
        now = format_seconds(CLOCK.now_s())
        rest = [c for c in pod["status"].get("conditions", []) if c["type"] != "Ready"]
        condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": now}
        status: dict[str, Any] = {"phase": phase, "conditions": [*rest, condition]}
        if ip:
            status |= {"podIP": ip, "podIPs": [{"ip": ip}], "startTime": now}
        meta = pod["metadata"]
        await self._api.patch("pods", meta["namespace"], meta["name"], {"status": status}, subresource="status")


@asynccontextmanager
async def running(*, nodes: int = 1, ends: Callable[[dict[str, Any]], str | None] = lambda pod: None,
                  samples: Any = None, cpu: str = "4", liveness: Any = None) -> AsyncIterator[DirectApi]:  # fmt: skip
    """A whole house without machines: API, loops, nodes."""
    async with house() as api:
        for i in range(nodes):
            await register(api, f"node-{i + 1}", cpu=cpu)
        loops = Loops(api, settings(), CLOCK, SystemChance(7), samples, "-----BEGIN CERTIFICATE-----\n",
                      liveness=liveness)  # fmt: skip
        tasks = [asyncio.ensure_future(loops.run()), asyncio.ensure_future(Node(api, ends).run())]
        try:
            yield api
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def until(api: DirectApi, true: Callable[[], Any], *, seconds: float = 10.0) -> None:
    """Waits for the house to get there."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - what is awaited is any state of the view
            await asyncio.sleep(0.005)
