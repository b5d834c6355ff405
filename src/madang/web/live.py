"""What open pages share: facts, the board, and who waits for the next change. Nothing runs while no page is open.

In: the API, samples, the gateway's counts. Out: whole pages' fragments at a moment, and, for each open page, the
fragments that are another since the moment that it shows. Changes are gathered: at most `MOST_A_SECOND` looks, however
many changes; a page that reads slowly gets the newest state, never a backlog.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator

from madang.ports.errors import Unavailable
from madang.ports.streams import Stack
from madang.ports.traffic import Flow
from madang.web.application import Load
from madang.web.board import Board
from madang.web.facts import Snapshot
from madang.web.load import load
from madang.web.picture import Picture
from madang.web.reading import machine, snapshot
from madang.web.sources import Sources
from madang.web.text import Language
from madang.web.watching import Watching

log = logging.getLogger(__name__)
MOST_A_SECOND = 5
REST, REST_S = 30, 0.4  # times as long as the look took, since a large house takes longer; at most so long
GATHER_S = 0.01  # changes that come together are one look
SAMPLE_S = 1.0
LINGER_S = 10.0  # after the last page went: somebody may only have reloaded it
PAGES = 50


class TooManyPages(Exception):
    """As many pages are open as are served at once."""


class Live:
    def __init__(self, sources: Sources) -> None:
        self._from = sources
        self._board = Board()
        self._watching: Watching | None = None
        self._load = Load()
        self._flow: Flow | None = None
        self._stacks: tuple[Stack, ...] = ()
        self._blind = False  # it was said that the images cannot be read
        self._flow_at = 0.0
        self._answers = True  # the gateway
        self._dirty, self._asked, self._ready = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._news = asyncio.Condition()
        self._pages = 0
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def running(self) -> bool:
        return self._task is not None and not self._task.done()

    async def page(self, language: Language) -> tuple[str, Picture, dict[str, str]]:
        """(the moment, the picture, all fragments) as they are now."""
        await self._wake()
        if self._dirty.is_set() and self._look():
            await self._tell()
        if self._board.picture is None:
            raise Unavailable("the dashboard could not read what there is; the log says why")
        return self._board.word(), self._board.picture, self._board.everything(language)

    async def changes(self, language: Language, since: str) -> AsyncGenerator[tuple[str, list[tuple[str, str]]], None]:
        """(moment, [(fragment, html)]) for ever, as one page sees it. An unknown moment: everything first."""
        if self._pages >= PAGES:
            raise TooManyPages
        self._pages += 1
        try:
            await self._wake()
            if not self._ready.is_set():
                return
            board = self._board
            seen = board.moment_of(since)
            while await self._newer(board, seen):
                fresh = board.since(seen, language)
                seen = board.moment
                yield board.word(), fresh
        finally:
            self._pages -= 1
            self._asked.set()

    async def close(self) -> None:
        self._closed = True
        await self._tell()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _newer(self, board: Board, seen: int) -> bool:
        """Waits for a moment after `seen`; False when the doors close, or the look at things broke off: the page's
        stream ends then, and it asks again."""
        async with self._news:
            await self._news.wait_for(lambda: board.moment > seen or self._board is not board or self._closed)
        return self._board is board and not self._closed

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def _wake(self) -> None:
        """Returns when what there is has been read, or when reading it broke off."""
        begun = False
        while not begun and not self._closed and not self._ready.is_set():
            self._asked.set()
            task = self._task
            if (
                task is None or task.done()
            ):  # else one that begins, or one that is just leaving: then another follows it
                begun = True
                task = self._task = asyncio.create_task(self._run(), name="dashboard")
            ready = asyncio.create_task(self._ready.wait())
            try:
                await asyncio.wait((ready, task), return_when=asyncio.FIRST_COMPLETED)
            finally:
                ready.cancel()
        self._asked.set()

    async def _run(self) -> None:
        """Until nobody has looked for a while."""
        self._watching = Watching(self._from.api, self._from.clock, self._dirty.set)
        listed = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._watching.run(listed), name="dashboard watches")]
                await listed.wait()
                self._stacks = await self._images()
                self._look()
                self._ready.set()
                tasks += [group.create_task(work) for work in (self._looking(), self._sampling())]
                await self._left()
                self._ready.clear()  # who comes from now on waits for the next
                for task in tasks:
                    task.cancel()
        except Exception:
            log.exception("the dashboard's look at things broke off; the next page begins anew")
        finally:
            self._ready.clear()
            self._board, self._watching = Board(), None
            self._load, self._flow, self._stacks = Load(), None, ()
            await self._tell()

    async def _left(self) -> None:
        while True:
            self._asked.clear()
            if self._pages:
                await self._asked.wait()
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LINGER_S):  # `wait_for` of 3.11 loses a cancel that comes with the event
                    await self._asked.wait()
            if not self._asked.is_set():
                return

    async def _looking(self) -> None:
        while True:
            await self._dirty.wait()
            await self._from.clock.sleep(GATHER_S)
            begun = self._from.clock.monotonic_s()
            if self._look():
                await self._tell()
            took = self._from.clock.monotonic_s() - begun
            await self._from.clock.sleep(min(max(1 / MOST_A_SECOND, took * REST), REST_S))

    async def _sampling(self) -> None:
        """The only beat, and only while somebody looks: what flows past the store."""
        clock, traffic, samples = self._from.clock, self._from.traffic, self._from.samples
        while True:
            if self._pages:
                flow = await traffic.flow() if traffic is not None else None
                answers, now = traffic is None or flow is not None, clock.monotonic_s()
                pods = samples.pods() if samples is not None else ()
                stacks = await self._images()
                found = load(self._snapshot(), self._flow, flow, now - self._flow_at, self._load, pods)
                self._flow, self._flow_at = flow, now
                if found != self._load or answers != self._answers or stacks != self._stacks:
                    self._load, self._answers, self._stacks = found, answers, stacks
                    self._dirty.set()
            await clock.sleep(SAMPLE_S)

    async def _images(self) -> tuple[Stack, ...]:
        """The same ones as long as nothing changed."""
        try:
            found = tuple(await self._from.images.stacks()) if self._from.images is not None else ()
        except (OSError, ValueError, KeyError) as error:  # a damaged index takes no other part of the page along
            if not self._blind:
                log.warning("the images cannot be read: %s", error)
            self._blind = True
            return self._stacks
        self._blind = False
        return found

    def _look(self) -> bool:
        self._dirty.clear()
        return self._board.show(self._snapshot(), self._load)

    def _snapshot(self) -> Snapshot:
        assert self._watching is not None
        return snapshot(self._watching.facts, machine(self._from.record(), gateway_alive=self._answers), self._stacks)
