"""The hand: what is so already counts as done, conflicts are decided again, refusals are told; Events are merged."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from madang.api.direct import DirectApi
from madang.loops.hand import Hand
from madang.loops.recorder import BURST, Recorder
from madang.loops.supervisor import supervise
from madang.ports.actions import Bind, Create, Delete, Emit, Patch, Wake
from tests.api.house import config_map, house, pod
from tests.loops.node import CLOCK, until
from tests.loops.test_queue import VirtualClock, settle

MAPS = "configmaps"


def told(story: Callable[[DirectApi, Hand], Awaitable[None]]) -> None:
    async def run() -> None:
        async with house() as api:
            recorder = Recorder(api, CLOCK, "tester")
            writer = asyncio.ensure_future(recorder.run())
            try:
                await story(api, Hand(api, recorder, "tester"))
            finally:
                writer.cancel()
                await asyncio.gather(writer, return_exceptions=True)

    asyncio.run(run())


def events(api: DirectApi) -> list[dict[str, Any]]:
    return list(api.view.list("events", "default"))


def test_what_is_so_already_is_done() -> None:
    async def story(api: DirectApi, hand: Hand) -> None:
        create = Create(MAPS, config_map("c", a="1"))
        assert not (await hand.carry_out([create])).again
        assert not (await hand.carry_out([create])).again
        gone = Delete(MAPS, "default", "c")
        assert not (await hand.carry_out([gone])).again
        assert not (await hand.carry_out([gone, Patch(MAPS, "default", "c", {"data": {}})])).again

    told(story)


def test_a_stale_or_foreign_patch_is_not_written() -> None:
    async def story(api: DirectApi, hand: Hand) -> None:
        await hand.carry_out([Create(MAPS, config_map("c", a="1"))])
        patch = {"data": {"a": "2"}}
        assert (await hand.carry_out([Patch(MAPS, "default", "c", patch, revision="1"), Wake(3)])).wake_s == 3
        assert (await hand.carry_out([Patch(MAPS, "default", "c", patch, revision="1")])).again
        assert not (await hand.carry_out([Patch(MAPS, "default", "c", patch, uid="other")])).again
        assert (api.view.get(MAPS, "default", "c") or {})["data"] == {"a": "1"}
        uid = (api.view.get(MAPS, "default", "c") or {})["metadata"]["uid"]
        assert not (await hand.carry_out([Patch(MAPS, "default", "c", patch, uid=uid)])).again
        assert (api.view.get(MAPS, "default", "c") or {})["data"] == {"a": "2"}

    told(story)


def test_binding_twice_is_decided_again() -> None:
    async def story(api: DirectApi, hand: Hand) -> None:
        await api.create("pods", pod("p"), namespace="default")
        uid = (api.view.get("pods", "default", "p") or {})["metadata"]["uid"]
        bind = Bind("default", "p", uid, "node-1")
        assert not (await hand.carry_out([bind])).again
        assert (await hand.carry_out([bind])).again
        found = api.view.get("pods", "default", "p") or {}
        assert found["spec"]["nodeName"] == "node-1"
        assert {"type": "PodScheduled", "status": "True"}.items() <= found["status"]["conditions"][0].items()

    told(story)


def test_a_refusal_is_told_with_its_reason_and_stops_what_follows() -> None:
    async def story(api: DirectApi, hand: Hand) -> None:
        about = await api.get("namespaces", "", "default")
        telling = Emit("namespaces", about, "Warning", "FailedCreate", "Error creating: {error}")
        wrong = Create(MAPS, config_map("c", namespace="nowhere"), otherwise=(telling,))
        outcome = await hand.carry_out([wrong, Delete(MAPS, "default", "kube-root-ca.crt")])
        assert outcome.again and api.view.get(MAPS, "default", "kube-root-ca.crt") is not None
        await until(api, lambda: events(api))
        assert events(api)[0]["message"] == 'Error creating: namespaces "nowhere" not found'

    told(story)


def test_events_are_merged_counted_and_bounded() -> None:
    async def story(api: DirectApi, hand: Hand) -> None:
        about = (await api.create(MAPS, config_map("c"), namespace="default")).obj
        emit = Emit(MAPS, about, "Normal", "Told", "the same")
        await hand.carry_out([emit, emit, Emit(MAPS, about, "Normal", "Told", "another"), emit])
        await until(api, lambda: sorted(e["count"] for e in events(api)) == [1, 3])
        event = next(e for e in events(api) if e["count"] == 3)
        assert event["involvedObject"]["kind"] == "ConfigMap" and event["source"] == {"component": "tester"}
        assert event["metadata"]["name"].startswith("c.")
        await hand.carry_out([Emit(MAPS, about, "Normal", "Told", f"flood {i}") for i in range(100)])
        await until(api, lambda: len(events(api)) >= BURST - 2)
        await asyncio.sleep(0.05)
        assert len(events(api)) <= BURST

    told(story)


def test_a_crashed_loop_is_started_again_later_each_time() -> None:
    async def run() -> None:
        clock, starts = VirtualClock(), 0

        async def crash() -> None:
            nonlocal starts
            starts += 1
            raise RuntimeError("a bug")

        task = asyncio.ensure_future(supervise("test", crash, clock))
        for wait in (0.1, 0.2, 0.4):
            await settle()
            await clock.pass_(wait)
        assert starts == 4
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
