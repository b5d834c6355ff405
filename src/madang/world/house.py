"""One simulated world: a plan carried out on a house that lives, dies and lives again; first safety, then healing.

In: a `Plan`. Out: an `Outcome`: what struck, and the first invariant that broke, if one did.
"""

import asyncio
import logging
import random
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from madang.ports.api import Api, User
from madang.ports.errors import StatusError
from madang.store.history import Window
from madang.world import strikes
from madang.world.asks import ASKS, Wanted, until_done
from madang.world.clock import WorldClock, dice
from madang.world.disk import Disk
from madang.world.invariants import Witnesses
from madang.world.life import Ended, Life, Surroundings
from madang.world.loop import Pulse, Standstill, VirtualLoop
from madang.world.machine import Machine, Probes
from madang.world.network import WorldNetwork
from madang.world.plan import HEAL_S, Deed, Plan
from madang.world.settling import unsettled

T = TypeVar("T")
NODES = 3
CONVERGE_S = 700.0  # a crash loop waits five minutes between two tries
QUIET_S = 3.0
USER = User("jo", ("system:masters", "system:authenticated"))


@dataclass(frozen=True, slots=True)
class Breach:
    """Which invariant broke, when, and how."""

    invariant: str
    at_s: float
    text: str


@dataclass(slots=True)
class Outcome:
    seed: int
    breach: Breach | None
    tally: Counter[str]
    lives: int
    steps: int
    ended_s: float
    trace: list[str] = field(default_factory=list)


class World:
    """Made on its loop. `run` once."""

    def __init__(self, plan: Plan, home: Path, loop: VirtualLoop, tracing: bool = False) -> None:
        self.plan, self.nodes = plan, NODES
        self._loop = loop
        self.tally: Counter[str] = Counter()
        self.clock = WorldClock(loop)
        self.disk = Disk(dice(plan.seed, "disk"), self.tally)
        self.machine = Machine(self.clock, dice(plan.seed, "machine"), self.tally)
        self.network = WorldNetwork(self.clock, self.machine, dice(plan.seed, "network"), self.tally)
        probes = Probes(self.machine, self.clock, dice(plan.seed, "probes"), self.tally)
        window = Window(changes=plan.window, ageless_changes=plan.window)
        self._outside = Surroundings(
            plan.seed, home, self.clock, self.disk, self.machine, self.network, probes, window, NODES
        )
        self._chance = dice(plan.seed, "lives")
        self.life: Life | None = None
        self.lives = 0
        self.broken: asyncio.Future[Breach] = loop.create_future()
        self.wanted: dict[str, Wanted] = {}
        self.jobs: dict[str, int] = {}
        self.notes, self.noted, self.gone = 0, set[str](), set[str]()
        self.healed = False
        self.trace: list[str] | None = [] if tracing else None
        self.witnesses = Witnesses(self)
        self.disk.kill, self.disk.committed = self._killed_in_fsync, self.witnesses.committed
        self._outside.asked, self._outside.acknowledged = self.witnesses.asked, self.witnesses.acknowledged
        self._outside.opened = self.witnesses.opened
        self._outside.broke = lambda text: self.breach("rooms go on", text)
        loop.fatal, loop.stumbled = self._fatal, self._stumbled

    @property
    def home(self) -> Path:
        return self._outside.settings.home

    def breach(self, invariant: str, text: str) -> None:
        """The first one counts."""
        if not self.broken.done():
            self.broken.set_result(Breach(invariant, self._loop.time(), text))

    def note(self, text: str) -> None:
        if self.trace is not None:
            self.trace.append(f"{self._loop.time():8.3f} s  {text}")

    async def call(self, write: Callable[[Api], Awaitable[T]]) -> T:
        """As the user, through whatever life there is. Raises Ended, StatusError."""
        life = self.life
        if life is None or not life.ready or life.pulse.dead:
            await asyncio.sleep(0.02)
            raise Ended

        async def work(life: Life) -> T:
            return await write(life.api.as_(USER))

        try:
            return await life.call(work)
        except (Ended, StatusError):
            raise
        except Exception as error:
            self.breach("the API answers in its own words", "".join(traceback.format_exception(error)))
            raise Ended from error

    async def run(self) -> Outcome:
        story = asyncio.ensure_future(self._story())
        both: set[asyncio.Future[Any]] = {story, self.broken}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if story.done() and story.exception() is not None:
            raise RuntimeError("the world itself broke") from story.exception()
        breach = self.broken.result() if self.broken.done() else None
        if self.life is not None:
            self.life.kill()
        story.cancel()
        seed, at, loop = self.plan.seed, self._loop.time(), self._loop
        return Outcome(seed, breach, self.tally, self.lives, loop.steps, at, self.trace or [])

    async def _story(self) -> None:
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(self._keep_alive())
            asks = [group.create_task(self._at(deed)) for deed in self.plan.deeds if deed.asked]
            struck = [group.create_task(self._at(deed)) for deed in self.plan.deeds if not deed.asked]
            await asyncio.sleep(HEAL_S)
            for task in struck:
                task.cancel()
            await self._heal()
            await asyncio.gather(*asks)
            await self._settle()
            keeping.cancel()

    async def _at(self, deed: Deed) -> None:
        await asyncio.sleep(deed.at_s)
        self.note(str(deed))
        if deed.asked:
            await ASKS[deed.name](self, *deed.what)
        else:
            await strikes.STRIKES[deed.name](self, random.Random(deed.chance), *deed.what)

    async def _heal(self) -> None:
        strikes.heal(self)
        self.note("everything is healed")
        for number in range(1, NODES + 1):
            if not any(key.name == f"node-{number}" for key in self.disk.present if key.kind == "nodes"):
                if self.life is not None:  # a node that was deleted registers again with the next start
                    self.life.kill()
                await asyncio.sleep(0.5)
                break
        for number in range(1, NODES + 1):
            name = f"node-{number}"
            await until_done(self, lambda api, name=name: uncordoned(api, name))  # type: ignore[misc]
        self.healed = True

    async def _settle(self) -> None:
        """Converges, and then stands still."""
        end = self._loop.time() + CONVERGE_S
        still: Sequence[str] = ["nothing was looked at"]
        while still and self._loop.time() < end:
            await asyncio.sleep(0.25)
            still = unsettled(self)
        if still:
            self.breach("converges", "; ".join(still[:6]))
            return
        at = self.disk.revision
        await asyncio.sleep(QUIET_S)
        self.witnesses.settled()
        again = unsettled(self)
        if again:
            self.breach("stays", "; ".join(again[:6]))
        if self.disk.revision > at + 40:
            self.breach("rests", f"{self.disk.revision - at} writes in {QUIET_S:g} s, though nothing is asked of it")

    async def _keep_alive(self) -> None:
        """Starts the control process again whenever it has ended, as its user would."""
        while True:
            self.lives += 1
            life = self.life = Life(self.lives, self._outside)
            self.note(f"life {self.lives} begins")
            try:
                await life.start()
                self.witnesses.born(life)
                await life.over
            except Ended:
                pass
            except StatusError as error:
                self.note(f"life {self.lives} could not start: {error}")
                life.kill()
            self.note(f"life {self.lives} is over")
            self._loop.bury()
            await asyncio.sleep(0.05 + 0.5 * self._chance.random())

    def _fatal(self, pulse: Pulse) -> None:
        self.tally["kill"] += 1
        self._end_of(pulse)

    def _killed_in_fsync(self) -> None:
        assert self.life is not None
        self._end_of(self.life.pulse)

    def _end_of(self, pulse: Pulse) -> None:
        life = self.life
        if life is not None and life.pulse is pulse:
            life.kill()

    def _stumbled(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        lines = traceback.format_exception(error) if isinstance(error, BaseException) else []
        self.breach("nobody stumbles", "\n".join([str(context.get("message")), *lines]))


async def uncordoned(api: Api, name: str) -> None:
    await api.patch("nodes", "", name, {"spec": {"unschedulable": None}})


class Ear(logging.Handler):
    """A room that logs an error with a traceback has stumbled: that is a bug, whatever the weather."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.ERROR)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        self._world.breach("nobody stumbles", text if len(text) < 6000 else text[:3000] + "\n...\n" + text[-3000:])


def run(plan: Plan, home: Path, tracing: bool = False) -> Outcome:
    """One world, from its first step to its last."""
    loop = VirtualLoop()
    logger = logging.getLogger("madang")
    kept = logger.handlers[:], logger.propagate, logger.level
    asyncio.set_event_loop(loop)
    worlds: list[World] = []
    try:

        async def main() -> Outcome:
            world = World(plan, home, loop, tracing)
            worlds.append(world)
            logger.handlers, logger.propagate = [Ear(world)], False
            logger.setLevel(logging.ERROR)
            return await world.run()

        return loop.run_until_complete(main())
    except Standstill as error:
        world, at = worlds[0], loop.time()
        breach = Breach("the house moves on", at, str(error))
        return Outcome(plan.seed, breach, world.tally, world.lives, loop.steps, at, world.trace or [])
    finally:
        loop.end()
        asyncio.set_event_loop(None)
        logger.handlers, logger.propagate = kept[:2]
        logger.setLevel(kept[2])
