"""Open pages over a real API: what they get, when the work ends, what becomes of a page that reads nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from madang.api.direct import DirectApi
from madang.ports.clock import SystemClock
from madang.ports.streams import Stack, StackLayer
from madang.web import live as module
from madang.web.live import Live, TooManyPages
from madang.web.sources import Sources
from tests.api.house import house, pod
from tests.web import things


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[DirectApi, Live]]:
    async with house() as api:
        live = Live(Sources(api, SystemClock(), lambda: things.RECORD))
        try:
            yield api, live
        finally:
            await live.close()


def test_a_change_reaches_an_open_page() -> None:
    async def story() -> None:
        async with opened() as (api, live):
            moment, picture, html = await live.page("en")
            assert picture.running and "No application yet" in html["listing"]
            changes = live.changes("ko", moment)
            waiting = asyncio.ensure_future(anext(changes))
            await api.create("pods", pod("lonely"), namespace="default")
            later, fragments = await asyncio.wait_for(waiting, 5)
            assert later != moment and "lonely" in dict(fragments)["listing"]
            await changes.aclose()

    asyncio.run(story())


class Images:
    def __init__(self) -> None:
        self.asked, self.here = 0, ()  # type: tuple[int, tuple[Stack, ...]]

    async def stacks(self) -> tuple[Stack, ...]:
        self.asked += 1
        return self.here


def test_a_damaged_index_of_images_takes_nothing_else_along(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "SAMPLE_S", 0.01)

    class Damaged(Images):
        async def stacks(self) -> tuple[Stack, ...]:
            self.asked += 1
            raise ValueError("Expecting value: line 1 column 1")

    async def story() -> None:
        images = Damaged()
        async with house() as api:
            live = Live(Sources(api, SystemClock(), lambda: things.RECORD, images=images))
            _, picture, _ = await live.page("en")
            assert picture.running
            changes = live.changes("en", "")
            await anext(changes)
            for _ in range(500):
                if images.asked > 3:
                    break
                await asyncio.sleep(0.01)
            assert images.asked > 3
            await changes.aclose()
            await live.close()

    asyncio.run(story())
    assert len([r for r in caplog.records if "images cannot be read" in r.message]) == 1


def test_images_are_asked_for_only_while_a_page_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SAMPLE_S", 0.01)
    monkeypatch.setattr(module, "LINGER_S", 0.01)

    async def story() -> None:
        images = Images()
        async with house() as api:
            live = Live(Sources(api, SystemClock(), lambda: things.RECORD, images=images))
            await asyncio.sleep(0.05)
            assert images.asked == 0
            moment, _, html = await live.page("en")
            assert "No image is here yet" in html["images"]
            images.here = (Stack("sha256:i", "sha256:d", ("redis:7",), (StackLayer("x", "base", 5, "ADD"),)),)
            changes = live.changes("en", moment)
            while "images" not in (fresh := dict((await asyncio.wait_for(anext(changes), 5))[1])):
                pass
            assert "redis:7" in fresh["images"] and "el-layers" in fresh
            await changes.aclose()
            while live.running:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            asked = images.asked
            await asyncio.sleep(0.05)
            assert images.asked == asked
            await live.close()

    asyncio.run(story())


def test_a_page_that_was_away_gets_what_it_missed() -> None:
    async def story() -> None:
        async with opened() as (api, live):
            first, *_ = await live.page("en")
            for name in ("one", "two"):
                await api.create("pods", pod(name), namespace="default")
                await until(live, f"svc-default_{name}")
            changes = live.changes("en", first)
            _, fragments = await anext(changes)
            assert "listing" in dict(fragments)
            await changes.aclose()
            stranger = live.changes("en", "another-12")
            _, everything = await anext(stranger)
            assert {"top", "listing", "events", "el-machine"} <= set(dict(everything))
            await stranger.aclose()

    asyncio.run(story())


async def until(live: Live, text: str) -> None:
    while text not in (await live.page("en"))[2]["listing"]:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


def test_a_page_that_goes_just_as_the_doors_close_holds_nobody_up() -> None:
    async def story() -> None:
        async with opened() as (_, live):
            await live.page("en")
            while live._asked.is_set():  # until it waits for the next who looks  # noqa: ASYNC110
                await asyncio.sleep(0)
            await asyncio.sleep(0)
            live._asked.set()
            closed, _ = await asyncio.wait({asyncio.create_task(live.close())}, timeout=5)
            assert closed

    asyncio.run(story())


def test_nothing_runs_when_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINGER_S", 0.05)

    async def story() -> None:
        async with opened() as (_, live):
            assert not live.running
            changes = live.changes("en", "")
            await anext(changes)
            await asyncio.sleep(0.1)
            assert live.running, "while a page is open it goes on"
            await changes.aclose()
            while live.running:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            assert {t.get_name() for t in asyncio.all_tasks()} & {"dashboard", "dashboard watches"} == set()
            await live.page("en")
            assert live.running, "and begins anew with the next"

    asyncio.run(story())


def test_pages_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGES", 1)

    async def story() -> None:
        async with opened() as (_, live):
            first = live.changes("en", "")
            await anext(first)
            with pytest.raises(TooManyPages):
                await anext(live.changes("en", ""))
            await first.aclose()

    asyncio.run(story())


def test_a_look_that_breaks_ends_the_streams_and_the_next_page_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with opened() as (api, live):
            changes = live.changes("en", "")
            await anext(changes)

            def broken(*_: Any) -> bool:
                raise ValueError("planted")

            with monkeypatch.context() as patch:
                patch.setattr(module.Board, "show", broken)
                await api.create("pods", pod("one"), namespace="default")
                with pytest.raises(StopAsyncIteration):
                    await asyncio.wait_for(anext(changes), 5)
            await until(live, "svc-default_one")

    asyncio.run(story())


def test_a_page_that_comes_just_as_the_last_look_ends_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINGER_S", 0.01)

    async def story() -> None:
        async with opened() as (_, live):
            tell, leaving, go = live._tell, asyncio.Event(), asyncio.Event()

            async def last_word() -> None:
                if live._watching is None:
                    leaving.set()
                    await go.wait()
                await tell()

            monkeypatch.setattr(live, "_tell", last_word)
            await live.page("en")
            await leaving.wait()
            changes = live.changes("en", "")
            first = asyncio.ensure_future(anext(changes))
            await asyncio.sleep(0)
            go.set()
            _, fragments = await asyncio.wait_for(first, 5)
            assert "listing" in dict(fragments)
            await changes.aclose()

    asyncio.run(story())


def test_a_stream_without_a_look_ends_and_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with opened() as (_, live):

            async def broken(*_: Any) -> None:
                raise ValueError("planted")

            monkeypatch.setattr(module.Watching, "run", broken)
            with pytest.raises(StopAsyncIteration):
                await asyncio.wait_for(anext(live.changes("en", "")), 5)

    asyncio.run(story())
