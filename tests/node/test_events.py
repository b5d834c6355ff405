"""Events: merged and counted, written in the background, never in anybody's way."""

import asyncio
from typing import Any

from madang.node.events import Recorder
from madang.ports.chance import SystemChance
from madang.ports.errors import NotFound, Unavailable
from madang.ports.objects import Obj
from tests.node.virtual import VirtualClock, run

POD: Obj = {"metadata": {"name": "p", "namespace": "default", "uid": "u"}}


class Written:
    """An API that keeps events, and fails when it is told to."""

    def __init__(self) -> None:
        self.events: dict[str, Obj] = {}
        self.fails: Exception | None = None

    async def create(self, kind: str, obj: Obj, **_: Any) -> None:
        if self.fails:
            raise self.fails
        self.events[obj["metadata"]["name"]] = obj

    async def patch(self, kind: str, namespace: str, name: str, change: Obj) -> None:
        if name not in self.events:
            raise NotFound(name)
        self.events[name] = {**self.events[name], **change}


def recorder(api: Written) -> Recorder:
    return Recorder(api, VirtualClock(), SystemChance(1), "kubelet", "node-1")  # type: ignore[arg-type]


def test_equal_events_are_one_that_is_counted() -> None:
    async def story() -> None:
        api = Written()
        r = recorder(api)
        r.emit(POD, "Normal", "Pulled", "m", "spec.containers{c}")
        await r.flush()
        for _ in range(3):
            r.emit(POD, "Normal", "Pulled", "m", "spec.containers{c}")
        r.emit(POD, "Normal", "Pulled", "m", "spec.containers{d}")
        await r.flush()
        assert sorted(e["count"] for e in api.events.values()) == [1, 4]
        event = next(e for e in api.events.values() if e["count"] == 4)
        assert event["involvedObject"] == {
            "kind": "Pod", "namespace": "default", "name": "p", "uid": "u", "apiVersion": "v1",
            "fieldPath": "spec.containers{c}",
        }  # fmt: skip
        assert event["source"] == {"component": "kubelet", "host": "node-1"}
        assert event["reportingComponent"] == "kubelet"

    run(story())


def test_one_that_has_expired_is_made_anew() -> None:
    async def story() -> None:
        api = Written()
        r = recorder(api)
        r.emit(POD, "Normal", "A", "m")
        await r.flush()
        api.events.clear()
        r.emit(POD, "Normal", "A", "m")
        await r.flush()
        assert [e["count"] for e in api.events.values()] == [2]
        await asyncio.sleep(3700)
        r.emit(POD, "Normal", "A", "m")
        await r.flush()
        assert sorted(e["count"] for e in api.events.values()) == [1, 2]

    run(story())


def test_a_write_that_fails_is_no_fault_of_the_pods() -> None:
    async def story() -> None:
        api = Written()
        api.fails = Unavailable("disk full")
        r = recorder(api)
        r.emit(POD, "Normal", "A", "m")
        await r.flush()
        assert api.events == {}

    run(story())
