"""Loops that are killed at any moment and started again, over an API that refuses now and then: all comes right."""

import asyncio
import random
from typing import Any

import pytest

from madang.api.direct import DirectApi
from madang.loops import house as loops_house
from madang.ports.chance import SystemChance
from madang.ports.errors import Conflict, Unavailable
from tests.api.house import house, settings
from tests.loops.node import CLOCK, Node, register, until
from tests.loops.test_house import DEPLOYMENTS, SERVICE, SETS, SLICES, available, deployment
from tests.loops.test_lives import JOBS, job

WRITES = ("create", "update", "patch", "delete")


class Moody:
    """The API as the loops see it: some writes are refused, some are carried out and refused all the same."""

    def __init__(self, api: DirectApi, dice: random.Random, share: float) -> None:
        self._api, self._dice, self._share = api, dice, share

    def as_(self, user: Any) -> "Moody":
        return Moody(self._api.as_(user), self._dice, self._share)

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._api, name)
        if name not in WRITES:
            return real

        async def moody(*args: Any, **kwargs: Any) -> Any:
            roll = self._dice.random()
            if roll < self._share / 3:
                raise Unavailable("the disk is full")
            if roll < 2 * self._share / 3:
                raise Conflict("somebody was quicker")
            answer = await real(*args, **kwargs)
            if roll < self._share:
                raise Unavailable("done, but you will never know")
            return answer

        return moody


@pytest.mark.parametrize("seed", range(6))
def test_killed_and_refused_it_still_comes_right(seed: int) -> None:
    async def story() -> None:
        dice = random.Random(seed)
        async with house() as api:
            await register(api, cpu="8")
            node = asyncio.ensure_future(
                Node(api, lambda p: "Succeeded" if p["metadata"]["name"][0] == "j" else None).run()
            )

            def start(share: float) -> asyncio.Future[None]:
                moody: Any = Moody(api, dice, share)
                return asyncio.ensure_future(
                    loops_house.Loops(moody, settings(), CLOCK, SystemChance(seed), None, "PEM").run()
                )

            loops = start(0.3)
            try:
                await api.create(DEPLOYMENTS, deployment(3), namespace="default")
                await api.create("services", SERVICE, namespace="default")
                await api.create(JOBS, job("j", completions=4, parallelism=2), namespace="default")
                for version in range(4):
                    await asyncio.sleep(dice.random() * 0.06)
                    loops.cancel()
                    await asyncio.gather(loops, return_exceptions=True)
                    patch = {"spec": {"template": {"metadata": {"annotations": {"v": str(version)}}}}}
                    await api.patch(DEPLOYMENTS, "default", "d", patch)
                    loops = start(0.3 if version < 3 else 0.0)
                await until(api, lambda: right(api))
            finally:
                for task in (loops, node):
                    task.cancel()
                await asyncio.gather(loops, node, return_exceptions=True)

    asyncio.run(story())


def right(api: DirectApi) -> bool:
    done = (api.view.get(JOBS, "default", "j") or {}).get("status") or {}
    slices = [
        s for s in api.view.list(SLICES, "default") if s["metadata"]["labels"].get("kubernetes.io/service-name") == "s"
    ]
    ready = [e["targetRef"]["name"] for s in slices for e in s.get("endpoints") or () if e["conditions"]["ready"]]
    running = [
        p for p in api.view.list("pods", "default", labels={"app": "a"}) if p["status"].get("phase") == "Running"
    ]
    ended = [p for p in api.view.list("pods", "default") if p["status"].get("phase") == "Succeeded"]
    return (
        available(api, 3)
        and len(running) == len(ready) == len(set(ready)) == 3
        and len([rs for rs in api.view.list(SETS, "default") if rs["spec"]["replicas"]]) == 1
        and [c["type"] for c in done.get("conditions", [])] == ["SuccessCriteriaMet", "Complete"]
        and done["succeeded"] == len([p for p in ended if p["metadata"]["name"].startswith("j-")]) >= 4
        and not any(p["metadata"].get("finalizers") for p in ended)
    )
