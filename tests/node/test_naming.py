"""Hosts files while Services come and go: one turn a burst, beside the loop, and only what has another text."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from madang.node import naming
from madang.node.names.names import Names
from madang.node.naming import Naming
from madang.ports.clock import SystemClock
from madang.ports.objects import Obj


class View:
    def __init__(self) -> None:
        self.services: list[Obj] = []
        self.lists = 0

    def get(self, kind: str, namespace: str, name: str) -> Obj | None:
        raise NotImplementedError

    def list(self, kind: str, namespace: str | None = None, **_: Any) -> list[Obj]:
        self.lists += kind == "services"
        return list(self.services) if kind == "services" else []

    def add(self, name: str, namespace: str = "shop") -> None:
        ip = f"10.1.0.{len(self.services) + 1}"
        self.services.append({"metadata": {"name": name, "namespace": namespace}, "spec": {"clusterIP": ip}})


class Worker:
    def __init__(self, folder: Path, name: str, sandbox: str = "ready") -> None:
        self.pod: Obj = {"metadata": {"name": name, "namespace": "shop"}, "spec": {}}
        self.facts = SimpleNamespace(ip="10.0.0.9", sandbox=sandbox)
        self.path = folder / name / "hosts"
        self.work = SimpleNamespace(folders=SimpleNamespace(hosts=self.path))

    def __str__(self) -> str:
        return self.path.read_text() if self.path.exists() else ""


class Turns:
    """Work that is done beside the loop; `meanwhile` happens on the loop during the first of it."""

    def __init__(self) -> None:
        self.pieces: list[int] = []
        self.meanwhile: Callable[[], None] = lambda: None

    async def __call__(self, work: Any) -> Any:
        (due,) = work.args
        self.pieces.append(len(due))
        done = await asyncio.to_thread(work)
        happens, self.meanwhile = self.meanwhile, lambda: None
        happens()
        return done


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 (a file has no event)
            await asyncio.sleep(0.001)


def story(tell: Callable[[View, Naming, Turns, list[Worker]], Any], workers: list[Worker]) -> None:
    async def run() -> None:
        view, turns = View(), Turns()
        keeper = Naming(Names(view), SystemClock(), turns, lambda: iter(workers))  # type: ignore[arg-type]
        running = asyncio.create_task(keeper.run())
        try:
            await tell(view, keeper, turns, workers)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(run())


def test_a_burst_is_one_turn_and_the_names_are_made_once(tmp_path: Path) -> None:
    async def tell(view: View, keeper: Naming, turns: Turns, workers: list[Worker]) -> None:
        for number in range(100):
            view.add(f"s{number}")
            keeper.changed()
        await until(lambda: all("s99.shop" in str(w) for w in workers))
        assert view.lists == 1
        assert sum(turns.pieces) == len(workers)
        assert max(turns.pieces) <= naming.AT_ONCE

    story(tell, [Worker(tmp_path, f"p{n}") for n in range(200)])


def test_what_comes_meanwhile_is_the_next_turn(tmp_path: Path) -> None:
    async def tell(view: View, keeper: Naming, turns: Turns, workers: list[Worker]) -> None:
        def another() -> None:
            view.add("late")
            keeper.changed()

        turns.meanwhile = another
        view.add("early")
        keeper.changed()
        await until(lambda: all("late.shop" in str(w) and "early.shop" in str(w) for w in workers))

    story(tell, [Worker(tmp_path, f"p{n}") for n in range(naming.AT_ONCE + 1)])


def test_what_did_not_change_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def tell(view: View, keeper: Naming, turns: Turns, workers: list[Worker]) -> None:
        view.add("a")
        keeper.changed()
        await until(lambda: "a.shop" in str(workers[0]))
        looks = view.lists
        view.services[0] = {**view.services[0], "status": {"loadBalancer": {}}}
        keeper.changed()
        await until(lambda: view.lists > looks)
        await asyncio.sleep(0)
        assert turns.pieces == [1]

    story(tell, [Worker(tmp_path, "p0"), Worker(tmp_path, "not-yet", sandbox="preparing")])


def test_a_file_that_cannot_be_written_keeps_no_other_from_it(tmp_path: Path) -> None:
    (tmp_path / "p0").write_text("a file where its folder should be")

    async def tell(view: View, keeper: Naming, turns: Turns, workers: list[Worker]) -> None:
        view.add("a")
        keeper.changed()
        await until(lambda: "a.shop" in str(workers[1]))

    class Broken(Worker):
        def __str__(self) -> str:
            return ""

    story(tell, [Broken(tmp_path, "p0"), Worker(tmp_path, "p1")])
