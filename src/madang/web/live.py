"""What open pages share: facts, fragments, and who waits for the next change. Nothing runs while no page is open.

In: the API, samples, the gateway's counts. Out: whole pages' fragments at a moment, and, for each open page, the
fragments that are another since the moment that it shows. Changes are gathered: at most `MOST_A_SECOND` renderings,
however many changes; a page that reads slowly gets the newest state, never a backlog.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from madang.ports.traffic import Flow
from madang.web.application import Load
from madang.web.facts import Snapshot
from madang.web.fragments import Renderer, inside, values
from madang.web.load import load
from madang.web.picture import Picture, picture
from madang.web.reading import machine, snapshot
from madang.web.sources import Sources
from madang.web.text import LANGUAGES, Language
from madang.web.watching import Watching

log = logging.getLogger(__name__)
MOST_A_SECOND = 5
SAMPLE_S = 1.0
LINGER_S = 10.0  # after the last page went: somebody may only have reloaded it
PAGES = 50


@dataclass(slots=True)
class Fragment:
    """`since` is the moment of its last change; `html` is written down when a language asks for it."""

    value: Any
    since: int
    html: dict[Language, str] = field(default_factory=dict)


class TooManyPages(Exception):
    """As many pages are open as are served at once."""


class Live:
    def __init__(self, sources: Sources) -> None:
        self._from = sources
        self._renderers = {language: Renderer(language) for language in LANGUAGES}
        self._epoch = secrets.token_hex(4)  # moments of another control process mean nothing here
        self._moment = 0
        self._fragments: dict[str, Fragment] = {}
        self._picture: Picture | None = None
        self._load = Load()
        self._flow: Flow | None = None
        self._flow_at = 0.0
        self._answers = True  # the gateway
        self._dirty, self._asked = asyncio.Event(), asyncio.Event()
        self._news = asyncio.Condition()
        self._pages = 0
        self._task: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._closed = False

    @property
    def running(self) -> bool:
        return self._task is not None and not self._task.done()

    async def page(self, language: Language) -> tuple[str, Picture, dict[str, str]]:
        """(the moment, the picture, all fragments) as they are now."""
        await self._wake()
        if self._dirty.is_set():
            self._render()
        assert self._picture is not None
        return self._word(), self._picture, {name: self._html(name, language) for name in self._fragments}

    async def changes(self, language: Language, since: str) -> AsyncIterator[tuple[str, list[tuple[str, str]]]]:
        """(moment, [(fragment, html)]) for ever, as one page sees it. An unknown moment: everything first."""
        if self._pages >= PAGES:
            raise TooManyPages
        self._pages += 1
        try:
            await self._wake()
            epoch, _, number = since.partition("-")
            seen = int(number) if epoch == self._epoch and number.isdigit() else -1
            while await self._newer(seen):
                fresh = [name for name, f in self._fragments.items() if f.since > seen]
                held = "listing" in fresh
                seen = self._moment
                yield self._word(), [(n, self._html(n, language)) for n in fresh if not (held and inside(n))]
        finally:
            self._pages -= 1
            self._asked.set()

    async def _newer(self, seen: int) -> bool:
        """Waits for a moment after `seen`; False when the doors close."""
        async with self._news:
            await self._news.wait_for(lambda: self._moment > seen or self._closed)
        return not self._closed

    async def close(self) -> None:
        self._closed = True
        async with self._news:
            self._news.notify_all()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _wake(self) -> None:
        self._asked.set()
        if not self.running:
            self._ready.clear()
            self._task = asyncio.create_task(self._run(), name="dashboard")
        ready = asyncio.create_task(self._ready.wait())
        assert self._task is not None
        await asyncio.wait((ready, self._task), return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            ready.cancel()
            await self._task  # its fault, to who asked

    async def _run(self) -> None:
        """Until nobody has looked for a while."""
        watching = Watching(self._from.api, self._from.clock, self._dirty.set)
        self._watching = watching
        listed = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(watching.run(listed), name="dashboard watches")]
                await listed.wait()
                self._render()
                self._ready.set()
                tasks += [group.create_task(work) for work in (self._rendering(), self._sampling())]
                await self._left()
                for task in tasks:
                    task.cancel()
        finally:
            self._ready.clear()
            self._fragments, self._picture, self._load, self._flow = {}, None, Load(), None
            self._epoch = secrets.token_hex(4)

    async def _left(self) -> None:
        while True:
            self._asked.clear()
            if self._pages:
                await self._asked.wait()
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), LINGER_S)
                continue
            return

    async def _rendering(self) -> None:
        while True:
            await self._dirty.wait()
            await self._from.clock.sleep(0.01)  # changes that come together are one rendering
            self._render()
            async with self._news:
                self._news.notify_all()
            await self._from.clock.sleep(1 / MOST_A_SECOND)

    async def _sampling(self) -> None:
        """The only beat, and only while somebody looks: what flows past the store."""
        while True:
            if self._pages:
                await self._sample()
            await self._from.clock.sleep(SAMPLE_S)

    async def _sample(self) -> None:
        clock, traffic, samples = self._from.clock, self._from.traffic, self._from.samples
        flow = await traffic.flow() if traffic is not None else None
        answers = traffic is None or flow is not None
        now = clock.monotonic_s()
        pods = samples.pods() if samples is not None else ()
        found = load(self._snapshot(), self._flow, flow, now - self._flow_at, self._load, pods)
        self._flow, self._flow_at = flow, now
        if found != self._load or answers != self._answers:
            self._load, self._answers = found, answers
            self._dirty.set()

    def _snapshot(self) -> Snapshot:
        return snapshot(self._watching.facts, machine(self._from.record(), gateway_alive=self._answers))

    def _render(self) -> None:
        self._dirty.clear()
        found = self._snapshot()
        fresh = values(found, self._load)
        self._picture = picture(found)
        if fresh.keys() == self._fragments.keys() and all(fresh[n] == f.value for n, f in self._fragments.items()):
            return
        self._moment += 1
        old = self._fragments
        self._fragments = {
            name: old[name] if name in old and old[name].value == value else Fragment(value, self._moment)
            for name, value in fresh.items()
        }

    def _html(self, name: str, language: Language) -> str:
        one = self._fragments[name]
        if name == "listing":  # it holds others, which may be newer than itself
            return self._renderers[language].fragment(name, one.value, self._whole())
        if language not in one.html:
            one.html[language] = self._renderers[language].fragment(name, one.value, {})
        return one.html[language]

    def _whole(self) -> dict[str, Any]:
        return {name: f.value for name, f in self._fragments.items()}

    def _word(self) -> str:
        return f"{self._epoch}-{self._moment}"
