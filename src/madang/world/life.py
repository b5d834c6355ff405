"""One life of the control process: the production rooms, put together as the courtyard does, on the world's ports.

In: what outlives it (disk, machine, network, clock). Out: an API to call, until it is killed (nothing of it runs
again), leaves in order, or breaks. A room that ends by itself breaks the house: the world is told.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from pathlib import Path
from typing import Any, TypeVar

from madang.api.always import ensure
from madang.api.direct import DirectApi
from madang.api.index import Index
from madang.gateway import loop as gateway
from madang.loops.house import Loops
from madang.node.agents import Agents, Outside
from madang.node.machine.machine import Machine as Here
from madang.ports.chance import SystemChance
from madang.ports.objects import Entry, Key, Obj
from madang.ports.settings import Addresses, Settings
from madang.store.history import Window
from madang.store.journaled import JournaledStore
from madang.store.model import Encode
from madang.world.balancer import Balancer, WorldHand, free_port
from madang.world.clock import WorldClock
from madang.world.disk import Disk, DiskJournal, DiskWriter
from madang.world.loop import PULSE, Pulse
from madang.world.machine import Machine
from madang.world.network import WorldNetwork
from madang.world.probes import Probes
from madang.world.runtime import WorldRuntime

T = TypeVar("T")
CPU_MILLIS = 3600  # room for twelve pods of the services: a rollout has to look for it
HERE = Here(CPU_MILLIS, 12 << 30, 100 << 30, "here", "amd64", "6.1", "Linux", "m", "b")
ADDRESSES = Addresses("bridge", "10.244.0.0/16", "10.96.0.0/16", "10.244.0.1", port_base=23000, port_count=100)


class Ended(Exception):
    """The life that was asked has ended; whether it did what it was asked, nobody knows."""


class WitnessedStore(JournaledStore):
    """Tells the world what was asked of it and what it acknowledged; changes nothing."""

    asked: Callable[[Key, int, int | None], None]
    acknowledged: Callable[[Key, int], None]

    def put(self, key: Key, encode: Encode, *, expect: int | None, obj: Obj | None = None) -> Awaitable[Entry]:
        done = super().put(key, encode, expect=expect, obj=obj)
        self.asked(key, self._given, expect)
        return done

    def remove(self, key: Key, encode: Encode, *, expect: int | None) -> Awaitable[Entry]:
        done = super().remove(key, encode, expect=expect)
        self.asked(key, self._given, expect)
        return done

    def listen(self) -> None:
        """From now on the world hears what each batch came to, in the step in which its callers are told."""
        pipeline, right = self._pipeline, self._pipeline._done

        def done(failure: Exception | None) -> None:
            batch = [*pipeline._flying, *(pipeline._waiting if failure is not None else ())]  # all of them fail
            right(failure)
            for accepted in batch:
                told = accepted.done
                if told.done() and not told.cancelled() and told.exception() is None:
                    self.acknowledged(accepted.entry.key, told.result().revision)

        pipeline._done = done  # type: ignore[method-assign]

    def decoded(self, revision: int) -> Obj | None:
        """What the house has decoded already."""
        found = self._decoded._kept.get(revision)
        return None if found is None else found[0]

    def forget(self) -> None:
        self._watchers._open.clear()
        vars(self._pipeline).clear()
        vars(self).clear()


class Life:
    """`start`, then `call`; ends by `kill` or `leave`. `over` is done when it has ended."""

    def __init__(self, number: int, outside: "Surroundings") -> None:
        self.number, self._outside = number, outside
        self._loop = asyncio.get_running_loop()
        self.pulse = Pulse()
        self.context = Context()
        self.context.run(PULSE.set, self.pulse)
        self.over: asyncio.Future[None] = self._loop.create_future()
        self._tasks: list[asyncio.Task[None]] = []
        outside.lives.append(self)
        self.ready = self.leaving = False
        self.store: WitnessedStore
        self.api: DirectApi
        self.agents: Agents

    async def call(self, work: Callable[["Life"], Coroutine[Any, Any, T]]) -> T:
        """Has `work` done inside this life. Raises Ended where it ends before the answer."""
        if self.pulse.dead:
            raise Ended
        task = self._loop.create_task(work(self), context=self.context)
        both: set[asyncio.Future[Any]] = {task, self.over}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            if not self.pulse.dead:  # it leaves in order: its callers are cut off
                task.cancel()
            raise Ended
        if task.cancelled():
            raise Ended
        return task.result()

    async def start(self) -> None:
        await self.call(lambda life: life._start())

    async def _start(self) -> None:
        outside, clock = self._outside, self._outside.clock
        index, journal = Index(), DiskJournal(outside.disk)
        writer = DiskWriter(journal, outside.disk, self._loop)
        loaded = journal.load()
        self.store = WitnessedStore(loaded, writer, index.terms, clock, window=outside.window)
        outside.opened(self.store)
        self.store.asked, self.store.acknowledged = outside.asked, outside.acknowledged
        self.store.listen()
        chance = SystemChance(outside.seed * 1000 + self.number)
        self.api = DirectApi(self.store, index, clock, chance, outside.settings)
        self.api.desk.ca_pem = "-----BEGIN CERTIFICATE-----\n"
        await ensure(self.api.desk, "127.0.0.1", 6443)
        there = Outside(outside.probes, HERE, {"PATH": "/bin"})
        runtimes, network = {"host": outside.runtime}, outside.network
        self.agents = Agents(self.api, runtimes, network, outside.settings, clock, chance, outside=there)
        agents = self.agents
        loops = Loops(
            self.api, outside.settings, clock, chance, agents.samples, self.api.desk.ca_pem, liveness=agents.pulses
        )
        door = gateway.Outside(lambda: WorldHand(outside.balancer), free_port)
        way_in = gateway.Gateway(self.api, outside.settings, clock, outside=door)
        await way_in.start()
        self._run("nodes", self.agents.run())
        self._run("gateway", way_in.run())
        self._run("loops", loops.run())
        self.ready = True

    def _run(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled():
            self._outside.broke(f"{task.get_name()} ended, and should never: {task.exception()!r}")

    def forget(self) -> None:
        """The world is over; what a life had put together by then goes apart."""
        held = vars(self)
        if "store" in held:
            self.store.forget()
        if "agents" in held:
            vars(self.agents).clear()
        held.clear()

    def kill(self) -> None:
        """From this instant nothing of it runs again."""
        self.pulse.dead = True
        if not self.over.done():
            self.over.set_result(None)

    async def leave(self) -> None:
        """The control ends alone, in order, as a SIGUSR1 does it."""
        await self.call(lambda life: life._leave())
        self.kill()

    async def _leave(self) -> None:
        self.leaving = True
        for task in self._tasks:
            task.remove_done_callback(self._ended)
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.store.close()

    def cut_watches(self) -> int:
        """As if every watcher had been too slow. How many there were."""
        open_ = [cursor for kept in self.store._watchers._open.values() for cursor in kept]
        for cursor in open_:
            cursor.close()
        return len(open_)


class Surroundings:
    """What outlives every life, and who is told what they do."""

    def __init__(
        self,
        seed: int,
        home: Path,
        clock: WorldClock,
        disk: Disk,
        machine: Machine,
        network: WorldNetwork,
        balancer: Balancer,
        probes: Probes,
        window: Window,
        nodes: int,
    ) -> None:
        self.seed, self.clock, self.disk, self.machine = seed, clock, disk, machine
        self.runtime = WorldRuntime(machine)
        self.network, self.balancer, self.probes, self.window = network, balancer, probes, window
        self.settings = Settings("world", "w1", home, ADDRESSES, nodes=nodes)
        self.lives: list[Life] = []
        self.asked: Callable[[Key, int, int | None], None] = lambda key, revision, expect: None
        self.acknowledged: Callable[[Key, int], None] = lambda key, revision: None
        self.opened: Callable[[WitnessedStore], None] = lambda store: None
        self.broke: Callable[[str], None] = lambda text: None
