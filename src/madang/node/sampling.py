"""One-second samples of all containers: CPU and memory, for the autoscaler, metrics and `top`.

In: the agents' running containers. Out: the newest usage of each pod and node (`ports.streams.Samples`). Where
nothing runs, nothing beats.
"""

from collections.abc import Sequence
from typing import NamedTuple

from madang.node.agent import NodeAgent
from madang.node.worker.worker import PodWorker
from madang.ports.clock import Clock
from madang.ports.streams import PodUsage, Usage

EVERY_S = 1.0


class _Last(NamedTuple):
    at_s: float  # steady
    cpu_ns: int


class NodeSamples:
    def __init__(self, clock: Clock, agents: Sequence[NodeAgent]) -> None:
        self._clock, self._agents = clock, agents
        self._last: dict[str, _Last] = {}  # by start
        self._pods: dict[tuple[str, str], PodUsage] = {}
        self._nodes: dict[str, Usage] = {}

    def pod(self, namespace: str, name: str) -> PodUsage | None:
        return self._pods.get((namespace, name))

    def pods(self, namespace: str | None = None) -> Sequence[PodUsage]:
        return [p for p in self._pods.values() if namespace is None or p.namespace == namespace]

    def node(self, name: str) -> Usage | None:
        return self._nodes.get(name)

    def take(self) -> bool:
        """Sample everything once. Whether anything runs."""
        seen: dict[str, _Last] = {}
        pods: dict[tuple[str, str], PodUsage] = {}
        for agent in self._agents:
            found = [u for w in agent.workers if (u := self._pod(w, seen)) is not None]
            pods |= {(u.namespace, u.pod): u for u in found}
            self._nodes[agent.share.name] = self._sum(found)
        self._last, self._pods = seen, pods
        return bool(seen)

    def _pod(self, worker: PodWorker, seen: dict[str, _Last]) -> PodUsage | None:
        facts = worker.facts
        runtime = worker.work.chosen.runtime
        usages: dict[str, Usage] = {}
        for name, c in facts.containers.items():
            if runtime is None or c.running is None:
                continue
            try:
                sample = runtime.sample(c.running)
            except OSError:  # it ended while it was looked at
                sample = None
            if sample is None:
                continue
            now = self._clock.monotonic_s()
            last = self._last.get(c.running.id)
            seen[c.running.id] = _Last(now, sample.cpu_ns)
            if last is None or now <= last.at_s:
                # The first look: all that it has used since its start.
                lived = self._clock.now_s() - c.running.started_at_s
                if not 0 <= lived <= 2 * EVERY_S:
                    continue  # adopted, or the clock was set back: its past says nothing of now, the next look does
                window = max(lived, 0.001)
                used = sample.cpu_ns
            else:
                window, used = now - last.at_s, max(sample.cpu_ns - last.cpu_ns, 0)
            usages[name] = Usage(self._clock.now_s(), window, used / 1e9 / window, sample.memory_bytes)
        meta = worker.pod["metadata"]
        return PodUsage(meta["namespace"], meta["name"], usages) if usages else None

    def _sum(self, pods: Sequence[PodUsage]) -> Usage:
        each = [u for p in pods for u in p.containers.values()]
        cpu, memory = sum(u.cpu_cores for u in each), sum(u.memory_bytes for u in each)
        return Usage(self._clock.now_s(), EVERY_S, cpu, memory)
