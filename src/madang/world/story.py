"""One simulated story: a plan carried out on a house that lives, dies and lives again; first safety, then healing.

In: a `Plan`. Out: an `Outcome`: what struck, and the first invariant that broke, if one did.
"""

import asyncio
import logging
import random
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from madang.ports.api import Api
from madang.ports.errors import StatusError
from madang.world import leaks, strikes
from madang.world.asks import ASKS, until_done
from madang.world.clock import dice
from madang.world.invariants import Witnesses
from madang.world.life import Ended, Life
from madang.world.loop import Pulse, Standstill, Step, VirtualLoop
from madang.world.plan import HEAL_S, Deed, Plan
from madang.world.points import Seeker, point
from madang.world.settling import unsettled
from madang.world.world import NODES, Breach, World

CONVERGE_S = 700.0  # a crash loop waits five minutes between two tries
QUIET_S = 3.0


@dataclass(slots=True)
class Outcome:
    seed: int
    breach: Breach | None
    tally: Counter[str]
    lives: int
    steps: int
    ended_s: float
    points: set[str] = field(default_factory=set)  # where lives were struck
    trace: list[str] = field(default_factory=list)


class Story:
    """What becomes of one world. `run` once."""

    def __init__(self, world: World, loop: VirtualLoop) -> None:
        self._world, self._loop = world, loop
        self._chance = dice(world.plan.seed, "lives")
        self._witnesses = Witnesses(world)
        world.disk.kill, world.disk.committed = self._killed_in_fsync, self._witnesses.committed
        world.outside.asked, world.outside.acknowledged = self._witnesses.asked, self._witnesses.acknowledged
        world.outside.opened = self._witnesses.opened
        loop.fatal, loop.stumbled = self._fatal, self._stumbled

    async def run(self) -> Outcome:
        story = asyncio.ensure_future(self._story())
        both: set[asyncio.Future[Any]] = {story, self._world.broken}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if story.done() and story.exception() is not None:
            raise RuntimeError("the world itself broke") from story.exception()
        breach = self._world.broken.result() if self._world.broken.done() else None
        if self._world.life is not None:
            self._world.life.kill()
        story.cancel()
        seed, at, loop = self._world.plan.seed, self._loop.time(), self._loop
        world = self._world
        return Outcome(seed, breach, world.tally, world.lives, loop.steps, at, world.points, world.trace or [])

    async def _story(self) -> None:
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(self._keep_alive())
            asks = [group.create_task(self._at(deed)) for deed in self._world.plan.deeds if deed.asked]
            struck = [group.create_task(self._at(deed)) for deed in self._world.plan.deeds if not deed.asked]
            await asyncio.sleep(HEAL_S)
            for task in struck:
                task.cancel()
            self._loop.ends = None
            await self._heal()
            await asyncio.gather(*asks)
            await self._settle()
            keeping.cancel()

    async def _at(self, deed: Deed) -> None:
        await asyncio.sleep(deed.at_s)
        self._world.note(str(deed))
        if deed.asked:
            await ASKS[deed.name](self._world, *deed.what)
        else:
            await strikes.STRIKES[deed.name](self._world, random.Random(deed.chance), *deed.what)

    async def _heal(self) -> None:
        strikes.heal(self._world)
        self._world.note("everything is healed")
        for name in sorted(self._world.broken_nodes):
            await until_done(self._world, lambda api, name=name: strikes.mended(api, name))  # type: ignore[misc]
        for number in range(1, NODES + 1):
            name = f"node-{number}"
            await until_done(self._world, lambda api, name=name: uncordoned(api, name))  # type: ignore[misc]
        self._world.healed = True

    async def _settle(self) -> None:
        """Converges, and then stands still."""
        if not await self._converged():
            return
        at = self._world.disk.revision
        await asyncio.sleep(QUIET_S)
        for _ in range(8):
            if not self._world.machine.sessions:
                break
            await asyncio.sleep(0.07)  # a probe's command is under way just now; one that never ends will not be over
        self._witnesses.settled()
        again = unsettled(self._world)
        if again:
            self._world.breach("stays", "; ".join(again[:6]))
        writes = self._world.disk.revision - at
        if writes > 40:
            self._world.breach("rests", f"{writes} writes in {QUIET_S:g} s, though nothing is asked of it")
        if self._world.plan.audited and not self._world.broken.done():
            await self._audit()

    async def _converged(self) -> bool:
        end = self._loop.time() + CONVERGE_S
        still: Sequence[str] = ["nothing was looked at"]
        while still and self._loop.time() < end:
            await asyncio.sleep(0.25)
            still = unsettled(self._world)
            self._witnesses.polled()
        if still:
            self._world.breach("converges", "; ".join(still[:6]))
        return not still

    async def _audit(self) -> None:
        """A life that has seen everything holds no more than one that begins now, and leaves nothing behind."""
        life = self._world.life
        assert life is not None
        grown, found = leaks.census(self._loop), [*leaks.held(self._world, life)]
        await life.leave()
        found += leaks.left(life, self._loop)
        await self._converged()
        await asyncio.sleep(QUIET_S)
        fresh = leaks.census(self._loop)
        if grown != fresh:
            found.append(f"tasks, old and new: more {dict(grown - fresh)}, fewer {dict(fresh - grown)}")
        if found:
            self._world.breach("nothing leaks", "; ".join(found[:6]))

    async def _keep_alive(self) -> None:
        """Starts the control process again whenever it has ended, as its user would."""
        while True:
            self._world.lives += 1
            life = self._world.life = Life(self._world.lives, self._world.outside)
            self._world.note(f"life {self._world.lives} begins")
            if len(self._world.fatal) >= self._world.lives:
                life.pulse.fatal = self._world.fatal[self._world.lives - 1]
            try:
                await life.start()
                self._witnesses.born(life)
                await life.over
            except Ended:
                pass
            except StatusError as error:
                self._world.note(f"life {self._world.lives} could not start: {error}")
                life.kill()
            self._world.note(f"life {self._world.lives} is over")
            self._loop.bury()
            await asyncio.sleep(0.05 + 0.5 * self._chance.random())

    def _fatal(self, pulse: Pulse, step: Step) -> None:
        self._world.tally["kill"] += 1
        self._world.points.add(point(step, self._world.flying()))
        self._end_of(pulse)

    def _killed_in_fsync(self) -> None:
        assert self._world.life is not None
        self._end_of(self._world.life.pulse)

    def _end_of(self, pulse: Pulse) -> None:
        life = self._world.life
        if life is not None and life.pulse is pulse:
            life.kill()
            self._loop.bury()  # now: a task whose next step is dropped would be destroyed with it
            self._world.machine.sessions = 0  # nobody holds their pipes any more

    def _stumbled(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        lines = traceback.format_exception(error) if isinstance(error, BaseException) else []
        self._world.breach("nobody stumbles", "\n".join([str(context.get("message")), *lines]))


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


def run(plan: Plan, home: Path, tracing: bool = False, seeker: Seeker | None = None) -> Outcome:
    """One world, from its first step to its last."""
    loop = VirtualLoop()
    loop.ends = None if seeker is None else seeker.ends
    logger = logging.getLogger("madang")
    kept = logger.handlers[:], logger.propagate, logger.level
    asyncio.set_event_loop(loop)
    worlds: list[World] = []
    try:

        async def main() -> Outcome:
            world = World(plan, home, loop, tracing)
            worlds.append(world)
            if seeker is not None:
                seeker.flying = world.flying
            logger.handlers, logger.propagate = [Ear(world)], False
            logger.setLevel(logging.ERROR)
            return await Story(world, loop).run()

        return loop.run_until_complete(main())
    except Standstill as error:
        world, at = worlds[0], loop.time()
        breach = Breach("the house moves on", at, str(error))
        return Outcome(plan.seed, breach, world.tally, world.lives, loop.steps, at, world.points, world.trace or [])
    finally:
        logger.setLevel(logging.CRITICAL + 1)  # the world is over: what breaks as it is taken apart, breaks nothing
        loop.end()
        for world in worlds:
            world.forget()
        asyncio.set_event_loop(None)
        logger.handlers, logger.propagate = kept[:2]
        logger.setLevel(kept[2])
