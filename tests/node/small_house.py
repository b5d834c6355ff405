"""The smallest house in which nodes run: the real API over a memory store, real agents, a make-believe machine."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from madang.api.always import ensure
from madang.api.direct import DirectApi
from madang.api.index import Index
from madang.node.agents import Agents, Outside
from madang.node.containers.containers import Containers
from madang.node.machine.machine import Figures, Machine
from madang.node.pulling.puller import Source
from madang.ports.chance import SystemChance
from madang.ports.objects import Obj
from madang.ports.program import Program as Image
from madang.ports.program import save
from madang.ports.settings import Addresses, NetworkName, Settings
from madang.store.memory import memory_store
from tests.node.make_believe import MakeBelieveHandler, MakeBelieveNetwork, MakeBelieveRuntime, Program
from tests.node.virtual import VirtualClock

HERE = Machine(4000, 8 << 30, 100 << 30, "here", "amd64", "6.1", "Linux", "m", "b")
IMAGE = "shop/cart:1"


@dataclass
class SmallHouse:
    api: DirectApi
    agents: Agents
    runtime: MakeBelieveRuntime
    network: MakeBelieveNetwork
    handler: MakeBelieveHandler
    home: Path
    states: list[Obj]
    new_agents: Callable[[], Agents]
    told: list[tuple[str, int, str]] = field(default_factory=list)
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    def halt(self) -> None:
        """The control process is killed; what runs goes on."""
        self.tasks[0].cancel()

    async def pod(self, spec: Obj, *, bind: str = "node-1", **meta: Any) -> Obj:
        obj = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p", "namespace": "default", **meta},
            "spec": spec,
        }
        made = (await self.api.create("pods", obj, namespace="default")).obj
        if bind:
            await self.bind(made["metadata"]["name"], bind)
        return made

    async def bind(self, name: str, node: str = "node-1") -> None:
        target = {"apiVersion": "v1", "kind": "Node", "name": node}
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": target}
        await self.api.create("pods", binding, namespace="default", name=name, subresource="binding")

    def status(self, name: str = "p") -> Obj:
        found = self.api.view.get("pods", "default", name)
        assert found is not None, f"pod {name} is gone"
        return dict(found["status"])

    def events(self) -> list[tuple[str, int, str]]:
        found = self.api.view.list("events", "default")
        found = [e for e in found if e["involvedObject"]["kind"] == "Pod"]
        found.sort(key=lambda e: int(e["metadata"]["resourceVersion"]))  # their names are chance
        return [(e["reason"], e["count"], e["message"]) for e in found]

    async def until(self, holds: Callable[[], bool], most_s: float = 300.0) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + most_s
        while not holds():
            assert loop.time() < end, f"not within {most_s} s; last: {self.states[-1:]}"
            await asyncio.sleep(0.005)

    def ready(self, name: str = "p") -> bool:
        found = self.api.view.get("pods", "default", name)
        conditions = ((found or {}).get("status") or {}).get("conditions") or ()
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

    def phase(self, name: str = "p") -> str:
        found = self.api.view.get("pods", "default", name)
        return "" if found is None else found["status"]["phase"]


@asynccontextmanager
async def small_house(
    home: Path,
    programs: Mapping[str, Program] | None = None,
    *,
    answer: Any = None,
    nodes: int = 1,
    network: NetworkName = "bridge",
    runtime: MakeBelieveRuntime | None = None,
    containers: Containers | None = None,
    images: Source | None = None,
    figures: Callable[[], Figures] | None = None,
) -> AsyncIterator[SmallHouse]:
    clock, chance = VirtualClock(), SystemChance(1)
    addresses = Addresses(network, "10.244.0.0/16", "10.96.0.0/16", "10.244.0.1", port_base=23000, port_count=100)
    settings = Settings("test", "t1", home, addresses, nodes=nodes)
    index = Index()
    store = memory_store(index.terms, clock)
    api = DirectApi(store, index, clock, chance, settings)
    api.desk.ca_pem = "-----BEGIN CERTIFICATE-----\n"
    await ensure(api.desk, "127.0.0.1", 6443)
    save(home, Image(IMAGE, home))
    runtime = runtime or MakeBelieveRuntime(clock, programs or {})
    net = MakeBelieveNetwork(clock, runtime)
    handler = MakeBelieveHandler(clock, answer)
    outside = Outside(handler, HERE, {"PATH": "/bin"}, figures)

    def new_agents() -> Agents:
        runtimes = {"host": runtime} | ({"container": runtime} if containers is not None else {})
        more = {"outside": outside, "containers": containers, "images": images}
        return Agents(api, runtimes, net, settings, clock, chance, **more)  # type: ignore[arg-type]

    agents = new_agents()
    house = SmallHouse(api, agents, runtime, net, handler, home, [], new_agents)
    tasks = [asyncio.create_task(agents.run()), asyncio.create_task(_record(house))]
    house.tasks = tasks
    await asyncio.sleep(0.01)
    try:
        yield house
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await store.close()


async def _record(house: SmallHouse) -> None:
    """Every state of a pod that a watch shows."""
    async for change in house.api.watch("pods"):
        obj = change.entry.obj
        deleting = "deletionTimestamp" in obj["metadata"]
        house.states.append(
            {"type": change.type, "name": obj["metadata"]["name"], "deleting": deleting, "status": obj["status"]}
        )
