"""The world as it stands in one moment: disk, machine, network, the house that lives in it, what was asked of it.

In: a `Plan` for the seed's sake, a loop. Out: the ground on which asks, strikes, witnesses and the judgement whether
all has settled stand. It carries nothing out by itself: that is `story.py`.
"""

import asyncio
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from madang.ports.api import Api, User
from madang.ports.errors import StatusError
from madang.store.history import Window
from madang.world.balancer import Balancer
from madang.world.clock import WorldClock, dice
from madang.world.disk import Disk
from madang.world.life import Ended, Life, Surroundings
from madang.world.loop import VirtualLoop
from madang.world.machine import Machine
from madang.world.network import WorldNetwork
from madang.world.plan import Plan
from madang.world.probes import Probes

T = TypeVar("T")
NODES = 3
USER = User("jo", ("system:masters", "system:authenticated"))


@dataclass(frozen=True, slots=True)
class Breach:
    """Which invariant broke, when, and how."""

    invariant: str
    at_s: float
    text: str


@dataclass(slots=True)
class Wanted:
    """A service as it was last asked for; `there` False: it was removed."""

    replicas: int
    unavailable: int
    version: str = "v1"
    there: bool = True
    stood: bool = False  # it was once as many as were asked for
    least: int = 0  # what an autoscaler may make of it
    most: int = 0  # 0: it has none
    carries: int = 0  # as many as its load needs

    @property
    def floor(self) -> int:
        return min(self.replicas, self.least) if self.most else self.replicas

    @property
    def ceiling(self) -> int:
        return max(self.replicas, self.most)

    @property
    def size(self) -> int:
        """What it must come to."""
        return min(max(self.carries, self.least), self.most) if self.most else self.replicas


class World:
    """Made on its loop."""

    def __init__(self, plan: Plan, home: Path, loop: VirtualLoop, tracing: bool = False) -> None:
        self.plan, self.nodes = plan, NODES
        self._loop = loop
        self.tally: Counter[str] = Counter()
        self.clock = WorldClock(loop)
        self.disk = Disk(dice(plan.seed, "disk"), self.tally)
        self.machine = Machine(self.clock, dice(plan.seed, "machine"), self.tally)
        self.network = WorldNetwork(self.clock, self.machine, dice(plan.seed, "network"), self.tally)
        self.balancer = Balancer(self.clock, dice(plan.seed, "balancer"))
        probes = Probes(self.machine, self.clock, dice(plan.seed, "probes"), self.tally)
        window = Window(changes=plan.window, ageless_changes=plan.window)
        self.outside = Surroundings(
            plan.seed,
            home,
            self.clock,
            self.disk,
            self.machine,
            self.network,
            self.balancer,
            probes,
            window,
            NODES,
        )
        self.outside.broke = lambda text: self.breach("rooms go on", text)
        self.life: Life | None = None
        self.lives = 0
        self.fatal: Sequence[int] = ()  # after how many of its steps each life is killed, if it is
        self.points: set[str] = set()  # where lives were struck
        self.broken: asyncio.Future[Breach] = loop.create_future()
        self.wanted: dict[str, Wanted] = {}
        self.jobs: dict[str, int] = {}
        self.level = 0  # of the settings
        self.notes, self.noted, self.gone = 0, set[str](), set[str]()
        self.broken_nodes: set[str] = set()
        self.healed = False
        self.trace: list[str] | None = [] if tracing else None

    @property
    def home(self) -> Path:
        return self.outside.settings.home

    def forget(self) -> None:
        """The world is over: what it held goes now, and not when the collector comes round to it."""
        for life in self.outside.lives:
            life.forget()
        for told in (self.outside, self.disk, self.machine, self.network, self.balancer):
            vars(told).clear()  # whoever tells somebody of something holds him
        self.life = None

    def breach(self, invariant: str, text: str) -> None:
        """The first one counts."""
        if not self.broken.done():
            self.broken.set_result(Breach(invariant, self._loop.time(), text))

    def flying(self) -> list[str]:
        """The kinds of what was accepted and is not on disk yet."""
        life = self.life
        return [] if life is None or not life.ready else [key[0] for key in life.store._pipeline._newest]

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
