"""One courtyard, put together: store, API, doors, gateway, nodes, controllers, each where it has what it needs.

In: `Arguments`. Out: a running house until it is told to stop (everything ends, nothing is left) or to leave (the
control ends, what runs goes on and is taken over by the next). The rooms meet in the store alone; what flows past it
(logs, samples) is handed over here.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any

from madang import __version__
from madang.api.direct import DirectApi
from madang.api.index import Index
from madang.courtyard import entering, gates, record
from madang.courtyard.arguments import Arguments, keep
from madang.courtyard.containers import Boxes
from madang.courtyard.desk import desk
from madang.dns.serve import Dns
from madang.gateway.loop import Gateway
from madang.node.agents import Agents, told
from madang.node.images.place import images
from madang.node.images.stacks import StoredStacks
from madang.node.networks import choice, claims
from madang.node.networks.network import Network
from madang.node.runtimes import standstill
from madang.node.runtimes.host import HostRuntime
from madang.node.runtimes.runtime import Ability
from madang.node.runtimes.zygote import Zygote
from madang.ports.chance import SystemChance
from madang.ports.clock import SystemClock
from madang.ports.settings import Settings
from madang.store.collector import tune_collector
from madang.store.durable import open_store

if TYPE_CHECKING:
    from madang.wire.serve import Door

log = logging.getLogger(__name__)

TOLD_S = 2.0  # at most


class House:
    """`start`, then wait as long as it pleases, then `stop` or `leave`."""

    def __init__(self, arguments: Arguments, zygote: Zygote | None = None, stand: Ability | None = None) -> None:
        """`stand`: whether we live in namespaces of our own (`entering`); None: that was not tried."""
        self._arguments, self._zygote, self._stand = arguments, zygote, stand
        self._clock, self._chance = SystemClock(), SystemChance()
        self._stack = AsyncExitStack()
        self._undo = AsyncExitStack()  # for a start that fails
        self._tasks: list[asyncio.Task[None]] = []
        self._standing = False  # the network could not be taken down
        self.broken = asyncio.Event()  # a room that should never end has ended
        self.abilities: list[Ability] = []
        self.notes: list[str] = []  # what the user should hear of this start

    async def start(self) -> None:
        arguments = self._arguments
        record.refuse_newer(arguments.home)
        record.begin(arguments.home)
        if standstill.recover(arguments.home):
            log.warning("pods that a backup had stopped go on: it was killed")
        # What runs keeps its network: a start that was asked for none takes it over where it stands.
        network = arguments.network or claims.running_on(arguments.home)
        chosen = await choice.choose(network, self._stand)  # type: ignore[arg-type]
        self._claim = claims.hold(arguments.home, chosen.network)
        self._stack.callback(self._claim.close)
        self._undo.callback(self._release)
        self.settings = Settings(
            name=arguments.name,
            id=self._claim.id,
            home=arguments.home,
            addresses=self._claim.addresses,
            listen=arguments.listen,
            nodes=arguments.nodes,
            runtime=arguments.runtime,
        )
        self._network: Network = choice.build(self.settings)
        self._undo.push_async_callback(self._take_down)
        runtime = HostRuntime(self.settings.id, zygote=self._zygote)
        self._stack.callback(runtime.close)
        self._boxes = boxes = Boxes(runtime, arguments.home)
        loading = asyncio.to_thread(load)
        ability, *_ = await beside(runtime.probe(), boxes.open(), self._network.start(), self._open_api(), loading)
        self.abilities = [ability, *chosen.abilities]
        self._stack.push_async_callback(boxes.close)
        runtimes, images = boxes.runtimes, boxes.containers
        self._dns = dns = Dns(self.settings.addresses)
        self._stack.callback(dns.close)
        dns.open_sockets()
        self.abilities.append(Ability("dns", not dns.why_not, dns.why_not))
        self._agents = Agents(
            self.api,
            runtimes,
            self._network,
            self.settings,
            self._clock,
            self._chance,
            containers=images,
            dns=dns.address,
        )
        self.door = await self._open_door()
        if self.door.closed:
            self.abilities.append(Ability("api from pods", False, self.door.closed))
        await self._stack.enter_async_context(desk(self.settings, self._store, self._agents.pauses))
        await self._gateway.start()
        if gates.rebooted(arguments.home):
            await gates.close(self.api)
        await self._set_going()
        with suppress(TimeoutError):  # a broken node tells nothing, a full disk takes nothing
            await asyncio.wait_for(told(self._agents.agents), TOLD_S)
        keep(arguments)
        record.write(arguments.home, self.describe())
        boxes.look(lambda: record.write(arguments.home, self.describe()))
        tune_collector()

    async def _open_api(self) -> None:
        index = Index()
        path = self.settings.home / "state.db"
        self._store = store = await open_store(path, index.terms, self._clock, say=self.notes.append)
        self._stack.push_async_callback(store.close)
        self.api = DirectApi(store, index, self._clock, self._chance, self.settings)
        self._gateway = Gateway(self.api, self.settings, self._clock)
        self._undo.push_async_callback(self._gateway.stop, 0)
        await self._gateway.prepare()

    async def _open_door(self) -> "Door":
        from madang.wire import kubeconfig
        from madang.wire.serve import serve

        namespace = kubeconfig.current_namespace(self.settings.home / "kubeconfig")
        door = serve(
            self.api,
            streams=self._agents.streams,
            samples=self._agents.samples,
            port=self._arguments.api_port,
            namespace=namespace,
        )
        return await self._stack.enter_async_context(door)

    async def _set_going(self) -> None:
        """The dashboard opens, and everybody begins to work."""
        from madang.loops.house import Loops
        from madang.web.serve import serve
        from madang.web.sources import Sources

        samples, pulses = self._agents.samples, self._agents.pulses
        pictures = StoredStacks(images(self._arguments.home))
        sources = Sources(self.api, self._clock, self.describe, samples, self._gateway, pictures)
        self.dashboard = await self._stack.enter_async_context(serve(sources, self._arguments.home))
        loops = Loops(self.api, self.settings, self._clock, self._chance, samples, self.door.ca_pem, liveness=pulses)
        self._run("nodes", self._agents.run())
        self._run("gateway", self._gateway.run())
        self._run("dns", self._dns.run(self.api, self._clock, self._chance))
        self._run("loops", loops.run())

    def _run(self, name: str, work: Any) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            log.error("%s ended, and should never: %s", task.get_name(), task.exception(), exc_info=task.exception())
            self.broken.set()

    def describe(self) -> dict[str, Any]:
        """What stands in `run/courtyard.json`: for commands, and for people who look."""
        settings = self.settings
        stand = [entering.describe(self._stand)] if self._stand else []
        return {
            "name": settings.name,
            "id": settings.id,
            "version": __version__,
            "settings": {
                "nodes": settings.nodes,
                "runtime": settings.runtime,
                "network": settings.addresses.network,
                "listen": settings.listen,
            },
            "addresses": {
                "api": self.door.url,
                "gateway": self._gateway.addresses.get("gateway", ""),
                "dashboard": self.dashboard,
            },
            "machine": {
                "network": settings.addresses.network,
                "abilities": [
                    {"name": a.name, "works": a.works, "why_not": a.why_not, "details": dict(a.details)}
                    for a in (*self.abilities, self._boxes.ability, *stand)
                ],
            },
        }

    async def stop(self) -> None:
        """Everything ends, in order: who decides, what runs, the way in, the network, the doors. A step that fails
        does not keep the others from being taken."""
        record.remove(self.settings.home, over=False)  # nobody should ask it for anything from now on
        steps: list[Callable[[], Awaitable[object]]] = [
            lambda: self._end("loops"),
            self._agents.stop_everything,
            self._gateway.stop,
            lambda: self._end("gateway", "nodes", "dns"),
            lambda: gates.close(self.api),
            self._take_down,
            self._stack.aclose,
        ]
        for step in steps:
            try:
                await step()
            except Exception:
                log.exception("a part could not be stopped; going on with the rest")
        self._release()
        self._close_porch()
        record.remove(self.settings.home, over=True)

    async def _take_down(self) -> None:
        self._standing = True
        await self._network.stop()
        self._standing = False

    def _release(self) -> None:
        """A claim whose network could not be taken down stays: by it the next start, whoever's, finds what is left."""
        if self._standing:
            self._claim.close()
        else:
            self._claim.release()

    async def give_up(self) -> None:
        """After a start that failed: nothing is left of it. What an earlier control left running goes on."""
        idle = claims.idle(self._arguments.home)
        if idle:
            await self._undo.aclose()
        await self._stack.aclose()
        serving = (self._arguments.home / "run" / "gateway.json").exists()  # of an earlier control
        if idle and not serving:
            self._close_porch()
        record.remove(self._arguments.home, over=idle and not serving)

    def _close_porch(self) -> None:
        if self._stand is not None and self._stand.works:
            entering.stop(self._arguments.home.absolute() / "run")

    async def leave(self) -> None:
        """The control ends alone."""
        await self._end("loops", "gateway", "nodes", "dns")
        await self._gateway.leave()
        await self._stack.aclose()
        record.remove(self.settings.home, over=False)

    async def _end(self, *names: str) -> None:
        ending = [task for task in self._tasks if task.get_name() in names]
        for task in ending:
            task.remove_done_callback(self._ended)
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)


def load() -> None:
    """The rooms that are entered last: a start waits for the machine as well (networks, processes, disks), and they are
    loaded meanwhile."""
    import madang.loops.house
    import madang.web.serve
    import madang.wire.serve  # noqa: F401


async def beside(*works: Coroutine[Any, Any, Any]) -> list[Any]:
    """All of them at once, since each mostly waits; a fault is raised when none is under way any more."""
    results = await asyncio.gather(*works, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results
