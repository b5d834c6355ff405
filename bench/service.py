"""A Deployment with its Service for the benches that break or load it, and what a watch sees of its pods."""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

from madang.api.remote import RemoteApi
from madang.ports.program import HOST

PROGRAM = Path(__file__).parent / "program.py"
PORT = 8000
NAME = "bench"


def objects(
    port: int, replicas: int, starts: Path, burn_ms: float = 0, cpu: str = "10m"
) -> list[tuple[str, dict[str, Any]]]:
    """As people write them: no readiness probe (the port that accepts is readiness), a published port."""
    container = {
        "name": "main",
        "image": HOST,
        "command": [sys.executable, "-I", "-S", str(PROGRAM), str(PORT), str(burn_ms), str(starts)],
        "ports": [{"containerPort": PORT}],
        "resources": {"requests": {"cpu": cpu}},
    }
    meta = {"name": NAME, "namespace": "default"}
    labels = {"app": NAME}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], "terminationGracePeriodSeconds": 1}}
    deployment = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    service = {"type": "LoadBalancer", "selector": labels, "ports": [{"port": port, "targetPort": PORT}]}
    return [
        ("deployments.apps", {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": deployment}),
        ("services", {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": service}),
    ]


class Pods:
    """Which pods are ready now, and a way to wait for a number of them."""

    def __init__(self, api: RemoteApi) -> None:
        self._api = api
        self.ready: set[str] = set()
        self.ready_at: list[float] = []
        self._told = asyncio.Condition()

    async def follow(self) -> None:
        async for change in self._api.watch("pods", "default"):
            if change.type == "BOOKMARK":
                continue
            conditions = {c["type"]: c["status"] for c in change.entry.obj["status"].get("conditions") or ()}
            good = conditions.get("Ready") == "True" and change.type != "DELETED"
            (self.ready.add if good else self.ready.discard)(change.entry.key.name)
            async with self._told:
                self._told.notify_all()

    async def until(self, number: int, patience_s: float = 60) -> float:
        """The moment (monotonic) at which just so many are ready."""
        async with self._told:
            await asyncio.wait_for(self._told.wait_for(lambda: len(self.ready) == number), patience_s)
        return time.monotonic()


def processes() -> list[int]:
    """The service's programs, by their command line."""
    found = []
    for path in Path("/proc").iterdir():
        try:
            words = (path / "cmdline").read_bytes().split(b"\0") if path.name.isdigit() else []
        except OSError:
            continue
        if str(PROGRAM).encode() in words and str(PORT).encode() in words:
            found.append(int(path.name))
    return found


def own_starts_ms(starts: Path) -> list[float]:
    """What the programs needed by themselves, each from its fork until its port accepted."""
    return [float(line) for line in starts.read_text().split()]
