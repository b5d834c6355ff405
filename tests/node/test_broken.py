"""Nodes that are lost: deleted, broken on purpose in two ways, divided anew; and how each comes back."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from madang.ports.api import DeleteOptions
from madang.ports.objects import Obj
from madang.ports.settings import BROKEN
from tests.node.small_house import IMAGE, SmallHouse, small_house
from tests.node.virtual import run

PROGRAM: Obj = {"containers": [{"name": "c", "image": IMAGE, "command": ["run"]}]}


def ready(house: SmallHouse, name: str) -> str:
    node = house.api.view.get("nodes", "", name)
    conditions = ((node or {}).get("status") or {}).get("conditions") or ()
    return next((str(c["status"]) for c in conditions if c["type"] == "Ready"), "")


async def break_node(house: SmallHouse, name: str, how: str | None) -> None:
    await house.api.patch("nodes", "", name, {"metadata": {"annotations": {BROKEN: how}}})


def silent(house: SmallHouse, name: str) -> Callable[[], bool]:
    return lambda: bool(house.agents.pulses.silent(name))


def test_a_deleted_node_is_registered_again_within_a_second(tmp_path: Path) -> None:
    async def story() -> None:
        async with small_house(tmp_path, nodes=2) as house:
            await house.pod(PROGRAM)
            await house.until(house.ready)
            before = house.api.view.get("nodes", "", "node-1")
            await house.api.delete("nodes", "", "node-1")
            await house.until(lambda: ready(house, "node-1") == "True", 1.0)
            after = house.api.view.get("nodes", "", "node-1")
            assert before is not None and after is not None
            assert after["metadata"]["uid"] != before["metadata"]["uid"]
            lease = house.api.view.get("leases.coordination.k8s.io", "kube-node-lease", "node-1")
            assert lease is not None
            assert len(house.runtime.containers) == 1 and house.ready()

    run(story())


def test_a_hanging_agent_falls_silent_and_what_runs_goes_on(tmp_path: Path) -> None:
    async def story() -> None:
        async with small_house(tmp_path, nodes=2) as house:
            await house.pod(PROGRAM)
            await house.until(house.ready)
            await break_node(house, "node-1", "hang")
            await house.until(silent(house, "node-1"), 7.0)
            assert not house.agents.pulses.silent("node-2")
            assert len(house.runtime.alive) == 1
            await _denied(house)
            await asyncio.sleep(5)
            assert not house.ready()
            await break_node(house, "node-1", None)
            await house.until(house.ready, 1.0)
            await house.until(lambda: ready(house, "node-1") == "True", 1.0)
            assert not house.agents.pulses.silent("node-1")
            assert len(house.runtime.containers) == 1, "what ran was taken over"

    run(story())


async def _denied(house: SmallHouse) -> None:
    """What becomes of the node and its pod once its silence was seen."""
    node, pod = house.api.view.get("nodes", "", "node-1"), house.api.view.get("pods", "default", "p")
    assert node is not None and pod is not None
    for kind, obj in (("nodes", node), ("pods", pod)):
        word = "Unknown" if kind == "nodes" else "False"
        conditions = [{**c, "status": word} if c["type"] == "Ready" else c for c in obj["status"]["conditions"]]
        meta = obj["metadata"]
        patch = {"status": {"conditions": conditions}}
        await house.api.patch(kind, meta.get("namespace", ""), meta["name"], patch, subresource="status")


def test_a_killed_node_takes_its_programs_with_it_and_starts_them_when_it_is_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with small_house(tmp_path, nodes=2) as house:
            await house.pod(PROGRAM)
            await house.until(house.ready)
            await break_node(house, "node-1", "kill")
            await house.until(lambda: not house.runtime.alive, 1.0)
            await asyncio.sleep(20)
            assert house.ready() and not house.runtime.alive, "nobody is there who could say otherwise"
            await break_node(house, "node-1", None)
            await house.until(lambda: house.status()["containerStatuses"][0]["restartCount"] == 1)
            await house.until(house.ready)
            assert len(house.runtime.alive) == 1

    run(story())


def test_what_was_deleted_while_the_agent_was_away_ends_when_it_is_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with small_house(tmp_path, nodes=2) as house:
            for name in ("kept", "asked", "forced"):
                await house.pod(PROGRAM, name=name)
                await house.until(lambda name=name: house.ready(name))  # type: ignore[misc]
            await break_node(house, "node-1", "hang")
            await asyncio.sleep(0.1)
            await house.api.delete("pods", "default", "asked")
            await house.api.delete("pods", "default", "forced", DeleteOptions(grace_s=0))
            await asyncio.sleep(60)
            assert len(house.runtime.alive) == 3
            await break_node(house, "node-1", None)
            await house.until(lambda: len(house.runtime.alive) == 1 and house.phase("asked") == "")
            assert house.ready("kept") and len(house.network.attached()) == 1

    run(story())


def test_a_broken_node_that_is_deleted_stays_away_until_somebody_makes_it_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with small_house(tmp_path, nodes=2) as house:
            await break_node(house, "node-2", "hang")
            await asyncio.sleep(0.1)
            await house.api.delete("nodes", "", "node-2")
            await asyncio.sleep(30)
            assert ready(house, "node-2") == ""
            await house.api.create("nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-2"}})
            await house.until(lambda: ready(house, "node-2") == "True", 1.0)

    run(story())


def test_the_way_down_ends_what_a_broken_node_left_running(tmp_path: Path) -> None:
    async def story() -> None:
        async with small_house(tmp_path, nodes=2) as house:
            await house.pod(PROGRAM)
            await house.until(house.ready)
            await break_node(house, "node-1", "hang")
            await asyncio.sleep(8)
            await house.agents.stop_everything()
            assert house.runtime.alive == [] and dict(house.network.attached()) == {}

    run(story())


def test_a_node_broken_before_the_control_process_began_stays_broken(tmp_path: Path) -> None:
    async def story() -> None:
        async with small_house(tmp_path, nodes=2) as house:
            await house.pod(PROGRAM)
            await house.until(house.ready)
            await break_node(house, "node-1", "hang")
            house.halt()
            await asyncio.sleep(0.1)
            again = house.agents = house.new_agents()
            task = asyncio.create_task(again.run())
            await house.until(silent(house, "node-1"), 20)
            assert not list(again.agents[0].workers) and len(house.runtime.alive) == 1
            await again.stop_everything()
            assert house.runtime.alive == []
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    run(story())


def test_an_agent_that_breaks_by_itself_is_started_anew(tmp_path: Path, monkeypatch: Any, caplog: Any) -> None:
    async def story() -> None:
        async with small_house(tmp_path, nodes=2) as house:
            await house.pod(PROGRAM)
            await house.until(house.ready)
            agent = house.agents.agents[0]

            async def bug() -> bool:
                monkeypatch.undo()
                raise ZeroDivisionError

            monkeypatch.setattr(agent.registrar, "keep", bug)
            agent.asked()
            await asyncio.sleep(0.5)
            assert not list(agent.workers)
            await house.until(lambda: any(True for _ in agent.workers), 3.0)
            await asyncio.sleep(1)
            assert len(house.runtime.containers) == 1 and house.ready()
            assert not house.tasks[0].done()

    run(story())
    assert "the agent of node-1 broke; it is started anew" in caplog.text


def test_a_machine_divided_into_fewer_nodes_forgets_the_others(tmp_path: Path) -> None:
    async def story(nodes: int) -> list[str]:
        async with small_house(tmp_path, nodes=3) as house:
            foreign = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "theirs"}}
            await house.api.create("nodes", foreign)
            await house.pod(PROGRAM, bind="node-3")
            await house.until(house.ready)
            house.halt()
            await asyncio.sleep(0.1)
            agents = house.new_agents()
            del agents.agents[nodes:], agents._by_name["node-3"]
            task = asyncio.create_task(agents.run())
            await asyncio.sleep(1)
            assert house.runtime.alive == []
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return [n["metadata"]["name"] for n in house.api.view.list("nodes")]

    assert run(story(2)) == ["node-1", "node-2", "theirs"]
