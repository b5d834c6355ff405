"""Random histories on virtual time: pods come and go, programs crash and hang, the control process is killed at any
moment. In the end everything that should run runs once, and nothing else does."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from madang.ports.api import DeleteOptions
from madang.ports.errors import Conflict, NotFound
from madang.ports.objects import Obj
from tests.node.make_believe import Script
from tests.node.small_house import IMAGE, SmallHouse, small_house
from tests.node.virtual import run

POLICIES = ("Always", "OnFailure", "Never")


class Fate:
    def __init__(self, house: SmallHouse, seed: int) -> None:
        self.house, self.chance = house, random.Random(seed)
        self.wanted: dict[str, str] = {}  # name -> restart policy
        self.made = 0
        self.control: Any = None

    async def step(self) -> None:
        deed = self.chance.choice([self.create, self.create, self.delete, self.crash, self.restart, self.wait])
        await deed()
        await asyncio.sleep(self.chance.choice([0.0, 0.003, 0.02, 0.3, 3.0]))
        self.check()

    async def create(self) -> None:
        self.made += 1
        name, policy = f"p{self.made}", self.chance.choice(POLICIES)
        self.wanted[name] = policy
        containers = [{"name": f"c{n}", "image": IMAGE, "command": ["run"]} for n in range(self.chance.randint(1, 2))]
        spec: Obj = {"containers": containers, "restartPolicy": policy, "terminationGracePeriodSeconds": 2}
        if self.chance.random() < 0.3:
            spec["initContainers"] = [{"name": "i", "image": IMAGE, "command": ["short"]}]
        await self.house.pod(spec, name=name)

    async def delete(self) -> None:
        if not self.wanted:
            return
        name = self.chance.choice(sorted(self.wanted))
        del self.wanted[name]
        grace = self.chance.choice([None, 0, 1])
        try:
            await self.house.api.delete("pods", "default", name, DeleteOptions(grace_s=grace))
        except (NotFound, Conflict):
            return

    async def crash(self) -> None:
        alive = self.house.runtime.alive
        if alive:
            self.house.runtime.end(self.chance.choice(alive), self.chance.choice([0, 1, 137]))

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def stop(self) -> None:
        tasks = [self.house.tasks[0], *([self.control] if self.control else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.control = None

    async def start(self) -> None:
        self.house.agents = self.house.new_agents()
        self.control = asyncio.create_task(self.house.agents.run())

    async def wait(self) -> None:
        await asyncio.sleep(self.chance.random() * 5)

    def check(self) -> None:
        """No container runs twice."""
        alive = [i.rpartition("-")[0] for i in self.house.runtime.alive]
        assert len(alive) == len(set(alive)), sorted(alive)

    def check_end(self) -> None:
        pods = {p["metadata"]["name"]: p for p in self.house.api.view.list("pods", "default")}
        assert sorted(pods) == sorted(self.wanted)
        uids = {p["metadata"]["uid"] for p in pods.values()}
        for id in self.house.runtime.alive:
            assert any(id.startswith(uid) for uid in uids), f"{id} runs for nobody"
        assert set(self.house.network.attached()) <= uids
        for name, policy in self.wanted.items():
            phase = pods[name]["status"]["phase"]
            assert phase == "Running" if policy == "Always" else phase in ("Running", "Succeeded", "Failed")
            if phase in ("Succeeded", "Failed"):
                assert not any(i.startswith(pods[name]["metadata"]["uid"]) for i in self.house.runtime.alive)
            else:
                assert self.house.ready(name) or policy != "Always"


@pytest.mark.parametrize("seed", range(25))
def test_any_history_converges(seed: int, tmp_path: Path) -> None:
    def program(_launch: Any, number: int) -> Script:
        hard = random.Random(f"{seed} {_launch.id}")
        return Script(on_term=hard.choice([0, 0, 1, None]))

    async def story() -> None:
        programs = {"run": program, "short": lambda _l, _n: Script(0.2)}
        async with small_house(tmp_path, programs) as house:
            fate = Fate(house, seed)
            for _ in range(25):
                await fate.step()
            await asyncio.sleep(200)
            fate.check_end()
            await fate.stop()

    run(story())
