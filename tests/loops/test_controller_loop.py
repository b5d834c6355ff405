"""Which changes wake a controller: those that it looks at, and none before its time."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from madang.control import collector, eventttl
from madang.control.controller import Ref, wake_self
from madang.loops.controller_loop import WORKERS, ControllerLoop
from madang.loops.watcher import Watcher
from madang.ports.chance import SystemChance
from madang.ports.objects import Change, Key, Obj
from tests.loops.test_queue import VirtualClock


class Api:
    """Nothing is stored: only who is woken counts."""

    view = SimpleNamespace(get=lambda *about: None, list=lambda *about, **more: [])

    def as_(self, user: Any) -> "Api":
        return self


def entry(obj: Obj) -> Any:
    meta = obj["metadata"]
    return SimpleNamespace(obj=obj, key=Key("pods", meta["namespace"], meta["name"]), revision=1, data=b"")


def pod(phase: str, **meta: Any) -> Obj:
    return {"metadata": {"name": "p", "namespace": "default", "uid": "u", **meta}, "status": {"phase": phase}}


def woken(controller: Any, kind: str, change: Change) -> tuple[int, list[float]]:
    """How many keys are to be decided now, and when others are."""
    watcher = Watcher(Api(), VirtualClock())  # type: ignore[arg-type]
    loop = ControllerLoop(controller, Api(), watcher, VirtualClock(), SystemChance(1))  # type: ignore[arg-type]
    for listener in watcher._listeners[kind]:
        listener(change)
    return len(loop.queue), sorted(loop.queue._due.values())


def plain(**more: Any) -> Any:
    """Decides nothing, and is woken by the object itself."""
    return SimpleNamespace(NAME="plain", WATCHES={"pods": wake_self}, decide=lambda *about: [], **more)


def test_changes_are_gathered_where_nobody_hurries() -> None:
    change = Change("MODIFIED", entry(pod("Running")), entry(pod("Pending")))
    assert woken(plain(GATHERS_S=0.5), "pods", change) == (0, [0.5])


def test_a_change_of_what_it_does_not_look_at_wakes_nobody() -> None:
    owned, other = [{"uid": "o"}], [{"uid": "x"}]
    minding = plain(bearing=collector.bearing)
    before = entry(pod("Pending", ownerReferences=owned))
    same, moved = (entry(pod("Running", ownerReferences=whose)) for whose in (owned, other))
    assert woken(plain(), "pods", Change("MODIFIED", same, before)) == (1, [])
    assert woken(minding, "pods", Change("MODIFIED", same, before)) == (0, [])
    assert woken(minding, "pods", Change("MODIFIED", moved, before)) == (1, [])
    assert woken(minding, "pods", Change("ADDED", same)) == (1, [])
    assert woken(minding, "pods", Change("DELETED", same, before)) == (1, [])
    anew = entry(pod("Running", ownerReferences=owned, uid="another"))
    assert woken(minding, "pods", Change("MODIFIED", anew, before)) == (1, [])


def test_an_event_is_looked_at_when_its_hour_has_passed() -> None:
    event = {**pod(""), "lastTimestamp": "1970-01-01T00:00:10Z"}
    event["metadata"]["creationTimestamp"] = "1970-01-01T00:00:05Z"
    assert woken(eventttl, "events", Change("ADDED", entry(event))) == (0, [3610.0])
    later = {**event, "lastTimestamp": "1970-01-01T00:01:00Z"}
    assert woken(eventttl, "events", Change("MODIFIED", entry(later), entry(event))) == (0, [3660.0])


def test_workers_come_as_they_are_needed_and_not_more_than_there_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    most = asyncio.run(employed(monkeypatch))
    assert most[0] == (1, 2) and most[1] == (2, 3)  # one always waits, while there may be more
    assert most[WORKERS - 1 :] == [(WORKERS, WORKERS)] * 5


async def employed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """How many are busy, and how many there are, with each key that comes."""
    watcher, opened = Watcher(Api(), VirtualClock()), asyncio.Event()  # type: ignore[arg-type]
    loop = ControllerLoop(plain(), Api(), watcher, VirtualClock(), SystemChance(1))  # type: ignore[arg-type]
    busy: list[Ref] = []

    async def decide(ref: Ref) -> None:
        busy.append(ref)
        await opened.wait()

    monkeypatch.setattr(loop, "_decide", decide)
    running = asyncio.ensure_future(loop.run())
    most = []
    for number in range(WORKERS + 4):
        loop.queue.add(Ref("default", str(number)))
        for _ in range(6):
            await asyncio.sleep(0)
        most.append((len(busy), loop._workers))
    running.cancel()
    await asyncio.wait([running])
    return most
