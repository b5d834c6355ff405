"""The gateway's hand: makes HAProxy be what is desired, by live commands or by a worker that takes over.

In: `Desired`. Out: an `Outcome`: which sockets could not be opened, whether HAProxy refused. The last good
configuration stays in any case. It holds what runs (`_running`) and the servers that could not be
deleted yet (`_lingering`).
"""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from madang.gateway import keeping, large
from madang.gateway.commands import Lingering, carry_out
from madang.gateway.desired import Desired
from madang.gateway.difference import Reload, difference, same_structure
from madang.gateway.generations import Generations
from madang.gateway.keeping import KeeperGone, Keeping, Unopened, Worker
from madang.gateway.pace import Pace
from madang.gateway.tuning import Tuning
from madang.haproxy import admin
from madang.ports.clock import Clock

log = logging.getLogger(__name__)
READY_S = 10.0
AGAIN_S = 5.0
SAVE_S = 0.05


@dataclass(frozen=True, slots=True)
class Outcome:
    """`refused` is what HAProxy said against the new configuration. `again_s`: structure waits for its turn."""

    unopened: tuple[Unopened, ...] = ()
    refused: str = ""
    reloaded: bool = False
    again_s: float | None = None


class Hand:
    def __init__(self, home: Path, run: Path, program: Path, clock: Clock, tuning: Tuning) -> None:
        self._generations = Generations(home / "gateway", tuning)
        self._run, self._program = run, program
        self._clock, self._tuning = clock, tuning
        self._pace = Pace()
        self._keeping: Keeping | None = None
        self._worker: Worker | None = None
        self._running: Desired | None = None
        self._unopened: tuple[Unopened, ...] = ()
        self._refused: Desired | None = None  # the structure that HAProxy did not take
        self._lingering: Lingering = {}
        self._saving: asyncio.TimerHandle | None = None
        self._ends: dict[int, asyncio.Future[str]] = {}
        self.on_trouble: Callable[[], None] = lambda: None

    @property
    def admin(self) -> Path | None:
        """The runtime socket of the worker that serves."""
        return self._worker.admin if self._worker else None

    @property
    def worker_pid(self) -> int:
        return self._worker.pid if self._worker else 0

    async def apply(self, desired: Desired) -> Outcome:
        try:
            return await self._apply(desired)
        except KeeperGone as gone:
            log.warning("%s: starting another", gone)
            await self.leave()
            return await self._apply(desired)

    async def _apply(self, desired: Desired) -> Outcome:
        keeper = await self.keeper()
        if self._running is None or self._unopened or desired.binds() != self._running.binds():
            unopened = await keeper.bind(desired.binds())
        else:
            unopened = ()
        if self._running is None:
            if await self._take_over(keeper, desired, unopened):
                return Outcome(unopened)
            return await self._reload(keeper, desired, unopened)
        refused_before = {u.bind.name for u in self._unopened}
        todo = difference(self._running, desired, refused_before, {u.bind.name for u in unopened})
        if isinstance(todo, Reload) and self._refused is not None and same_structure(self._refused, desired):
            await self._live(with_servers(self._running, desired))
            return Outcome(self._unopened)  # it was said already why this one cannot be
        if isinstance(todo, Reload):
            wait = self._pace.wait_s(self._clock.monotonic_s())
            if wait == 0.0:
                return await self._reload(keeper, desired, unopened)
            partly = with_servers(self._running, desired)
            if partly != self._running:
                await self._live(partly)
            return Outcome(self._unopened, again_s=wait)
        if todo and not await self._live(desired):
            return await self._reload(keeper, desired, unopened)
        return Outcome(self._unopened)

    async def _live(self, desired: Desired) -> bool:
        """The same structure with other numbers. False: HAProxy does not agree about what runs."""
        assert self._worker is not None and self._running is not None
        todo = difference(self._running, desired)
        if isinstance(todo, Reload):
            return False
        try:
            now = self._clock.monotonic_s()
            if self._saving is None:
                self._generations.unsettle(self._worker.folder)
            await carry_out(self._worker.admin, todo, self._lingering, self._tuning, now)
        except (admin.Refused, admin.Silent) as error:
            log.warning("the gateway's live change failed (%s): a new worker takes over", error)
            return False
        self._running = desired
        if self._saving is None:
            self._saving = asyncio.get_running_loop().call_later(SAVE_S, self._save)
        return True

    def _save(self) -> None:
        """Live changes reach the files a moment later, many at a time. On a full disk HAProxy still knows; only who
        restarts it would start from before."""
        if self._saving is not None:
            self._saving.cancel()
            self._saving = None
            if self._worker is not None and self._running is not None:
                try:
                    self._generations.write(self._worker.folder, self._running, {u.bind.name for u in self._unopened})
                except OSError as error:
                    log.warning("the gateway's configuration could not be kept: %s", error)

    async def _reload(self, keeper: Keeping, desired: Desired, unopened: tuple[Unopened, ...]) -> Outcome:
        self._pace.spend(self._clock.monotonic_s())
        refused = {u.bind.name for u in unopened}
        try:
            folder = self._generations.begin(desired, refused)
        except OSError as error:
            return Outcome(self._unopened, refused=f"no room for a new configuration: {error}", again_s=AGAIN_S)
        names = [b.name for b in desired.binds() if b.name not in refused]
        counts = await large.counts(self.admin)
        worker = await keeper.start(folder, self._run / f"gateway-{folder.name}.sock", names)
        said = await instead(self._ends, worker)
        if said is not None:
            self._generations.give_up(folder, self._running)
            self._refused = desired
            await self._drop(keeper, self._running or Desired())
            return Outcome(unopened, refused=said)
        with suppress(admin.Silent):
            await large.carry(counts, worker.admin)
        await keeper.confirm(worker)
        self._worker, self._running, self._unopened = worker, desired, unopened
        self._refused = None
        self._lingering.clear()
        await self._drop(keeper, desired)
        self._generations.keep(folder)
        return Outcome(unopened, reloaded=True)

    async def _take_over(self, keeper: Keeping, desired: Desired, unopened: tuple[Unopened, ...]) -> bool:
        """Whether the worker that an earlier control left serves just this: then no connection notices anything. Not
        where that control was killed before it could write down what it had told it live."""
        worker = await keeper.serving()
        if worker is None or not self._generations.says(worker.folder, desired, {u.bind.name for u in unopened}):
            return False
        try:
            await _answers(worker.admin)
        except (admin.Silent, OSError):
            return False
        self._worker, self._running, self._unopened = worker, desired, unopened
        await self._drop(keeper, desired)
        return True

    async def sweep(self) -> bool:
        """Deletes servers that had connections when they went; True while some still have."""
        due = min(self._lingering.values(), default=None)
        if due is not None and due <= self._clock.monotonic_s() and self._worker is not None:
            try:
                now = self._clock.monotonic_s()
                await carry_out(self._worker.admin, (), self._lingering, self._tuning, now)
            except admin.Silent:
                return True
        return bool(self._lingering)

    async def stop(self, drain_s: float) -> None:
        """Lets running requests finish, for so long; then nothing of the gateway is left."""
        for _ in range(3):  # the conversation may be over while the keeper lives, or a worker without a keeper
            keeper = self._keeping or await keeping.find(self._run, self._heard)
            if keeper is None and keeping.orphaned(self._run):
                keeper = await keeping.start(self._run, self._program, self._heard)
            if keeper is None:
                break
            self._keeping = keeper
            try:
                await keeper.stop(drain_s)
            except KeeperGone:
                await self.leave()
        await self.leave()
        self._generations.clear()
        for path in self._run.glob("gateway*"):  # of one that was killed
            if path.name != keeping.LOG:
                path.unlink(missing_ok=True)

    async def leave(self) -> None:
        """Forgets what runs, and lets it run."""
        self._save()
        if self._keeping is not None:
            await self._keeping.close()
        self._keeping = self._worker = self._running = None
        self._unopened = ()
        self._lingering.clear()

    async def keeper(self) -> Keeping:
        """Found or started."""
        if self._keeping is None or self._keeping.gone.is_set():
            await self.leave()
            self._run.mkdir(parents=True, exist_ok=True)
            found = await keeping.find(self._run, self._heard)
            self._keeping = found or await keeping.start(self._run, self._program, self._heard)
            self._keeping.when_gone(lambda: self.on_trouble())  # noqa: PLW0108 (whoever is to hear of it by then)
        return self._keeping

    def _heard(self, event: Mapping[str, Any]) -> None:
        if event["event"] == "exit":
            ended = end_of(self._ends, event["pid"])
            if not ended.done():
                ended.set_result(event["log"])
        elif event["event"] == "restarted" and self._worker is not None:
            # it starts from the files: what was told to its predecessor after the last write is told again
            self._worker = replace(self._worker, pid=event["pid"])
            self._running = self._generations.written
            self._lingering.clear()
            self.on_trouble()
        elif event["event"] == "died":
            log.warning("HAProxy (pid %s) ended with %s; its sockets are kept", event["pid"], event["code"])

    async def _drop(self, keeper: Keeping, desired: Desired) -> None:
        """Closes sockets that nothing serves: who connects there must be refused, not left waiting."""
        wanted = {b.name for b in desired.binds()}
        status = await keeper.status()
        surplus = [b["name"] for b in status["binds"] if b["name"] not in wanted]
        if surplus:
            await keeper.drop(surplus)


def end_of(ends: "dict[int, asyncio.Future[str]]", pid: int) -> "asyncio.Future[str]":
    """What a worker said when it ended: it may be heard before anybody asks."""
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    return ends.setdefault(pid, ended)


async def instead(ends: "dict[int, asyncio.Future[str]]", worker: Worker) -> str | None:
    """Waits until a new worker answers; what it said if it ended instead."""
    ended = end_of(ends, worker.pid)
    answers = asyncio.create_task(_answers(worker.admin))
    try:
        both: set[asyncio.Future[Any]] = {ended, answers}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if answers.done() and answers.exception() is None:
            return None
        if ended.done():
            return ended.result()
        with suppress(ProcessLookupError):  # or its keeper would take it for the one that serves, without its files
            os.kill(worker.pid, signal.SIGKILL)
        return f"it did not answer: {answers.exception()}"
    finally:
        del ends[worker.pid]
        answers.cancel()
        await asyncio.gather(answers, return_exceptions=True)


async def _answers(path: Path) -> None:
    async with admin.session(path, READY_S) as talk:
        await talk.ask("show version")


def with_servers(running: Desired, desired: Desired) -> Desired:
    """The structure that runs, with the instances that are wanted now."""
    wanted = {b.name: b.servers for b in desired.backends}
    backends = tuple(replace(b, servers=wanted.get(b.name, b.servers)) for b in running.backends)
    return replace(running, backends=backends)
