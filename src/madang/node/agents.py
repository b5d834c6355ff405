"""All nodes of this house, in one process: what the courtyard starts and stops.

In: the API, runtimes, the network, settings. Out: nodes that run their pods; `streams`, `samples` and `pulses` for the
other rooms. Cancelling `run` leaves what runs running (a new process adopts it); `stop_everything` is the way down.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from madang.node.agent import NodeAgent
from madang.node.aside import at_once, in_thread
from madang.node.containers.choice import HOST as HOST_RUNTIME
from madang.node.containers.containers import Containers
from madang.node.events import Recorder
from madang.node.evictor import Evictor
from madang.node.follow import follow
from madang.node.images.collection import make_room
from madang.node.images.images import Images
from madang.node.kit import Kit
from madang.node.machine.machine import Figures, Machine, figures, machine
from madang.node.machine.registration import HOST, Share, capacity
from madang.node.names.names import Names
from madang.node.naming import Naming
from madang.node.networks.network import Network
from madang.node.probes.handler import Handler, SystemHandler
from madang.node.probes.patient import PatientHandler, Pauses
from madang.node.pulling.puller import Puller, Source
from madang.node.pulses import Pulses
from madang.node.runtimes.runtime import Runtime
from madang.node.sampling import EVERY_S, NodeSamples
from madang.node.streams.streams import NodeStreams
from madang.node.sweeping import sweep
from madang.node.tokens import api_tokens
from madang.node.volumes.reclaim import Reclaim
from madang.node.volumes.volumes import Volumes
from madang.ports.api import LocalApi, User
from madang.ports.chance import Chance
from madang.ports.clock import Clock
from madang.ports.errors import StatusError
from madang.ports.objects import Obj
from madang.ports.parts import part
from madang.ports.settings import AUTO, Settings

log = logging.getLogger(__name__)
_STARTS_AT_ONCE = 16

RECOVERED = "the record of this pod's address was damaged; {ip} was found again from what runs"


@dataclass(frozen=True, slots=True)
class Outside:
    """What stands in for the machine in a simulated world."""

    handler: Handler
    machine: Machine | None = None
    base: Mapping[str, str] | None = None
    figures: Callable[[], Figures] | None = None


class Agents:
    """`runtimes` are those that work here, by name. The network has been started. `images` stands in for engines and
    registries."""

    def __init__(
        self,
        api: LocalApi,
        runtimes: Mapping[str, Runtime],
        network: Network,
        settings: Settings,
        clock: Clock,
        chance: Chance,
        *,
        outside: Outside | None = None,
        containers: Containers | None = None,
        images: Source | None = None,
        dns: str = "",
    ) -> None:
        self._api, self._clock, self._settings, self._network = api, clock, settings, network
        self._runtimes, self._containers, self._dns = runtimes, containers, dns
        self._puller = None if containers is None else Puller(containers.store, clock, images)
        outside = outside or Outside(SystemHandler())
        self._here = outside.machine or machine(settings.home)
        self._real = outside.machine is None
        self._figures = outside.figures or (partial(figures, settings.home) if self._real else None)
        self._starts = asyncio.Semaphore(_STARTS_AT_ONCE)
        base = outside.base if outside.base is not None else base_environment(os.environ)
        self._names = Names(api.view)
        self.pauses = Pauses()
        handler = PatientHandler(outside.handler, self.pauses)
        self.agents = [self._agent(n, chance, handler, base) for n in range(1, settings.nodes + 1)]
        self._by_name = {a.share.name: a for a in self.agents}
        self.streams = NodeStreams(self.agents)
        self.samples = NodeSamples(clock, self.agents)
        aside = self.agents[0].kit.aside
        self._evictor = Evictor(clock, self.samples, aside, partial(room, containers, clock))
        self._naming = Naming(self._names, clock, aside, lambda: (w for a in self.agents for w in a.workers))
        self.pulses = Pulses(self._by_name)
        first = self.agents[0].kit
        self._reclaim = Reclaim(first.api, clock, settings.home / "volumes", aside, first.events)
        self._works, self._busy = asyncio.Event(), asyncio.Event()
        for a in self.agents:
            a.worked, a.tidy = self._worked, self._tidy
            a.answer = partial(self.pulses.answer, a.share.name)

    async def run(self) -> None:
        await forget_nodes(self._api, self._by_name)
        await self._tidy()
        async with asyncio.TaskGroup() as group:
            for agent in self.agents:
                group.create_task(agent.run(), name=agent.share.name)
            self._tell_recovered()
            group.create_task(follow(self._api, self._clock, "pods", self._pod, self._pods))
            group.create_task(follow(self._api, self._clock, "nodes", self._node, self._nodes))
            for kind in ("configmaps", "secrets"):
                group.create_task(follow(self._api, self._clock, kind, partial(self._data, kind)))
            group.create_task(self._reclaim.run())
            group.create_task(self._naming.follow(self._api))
            group.create_task(self._naming.run())
            group.create_task(self._sample())
            if self._figures is not None:
                group.create_task(self._evictor.run(self._figures, self.agents, self._works))
            group.create_task(self.pulses.run(self._clock, self._ask, self._busy))

    async def stop_everything(self) -> None:
        """Stop all pods, each in its own order and grace; their objects stay, and start again with the next `up`."""
        await asyncio.gather(*(a.leave() for a in self.agents))

    def _agent(self, number: int, chance: Chance, handler: Handler, base: Mapping[str, str]) -> NodeAgent:
        settings, name = self._settings, f"node-{number}"
        own = part(settings.addresses, number, settings.nodes)
        api = self._as(name)
        aside = in_thread if self._real else at_once
        share = Share(name, settings.nodes, own.ip, HOST_RUNTIME, own.cidr)
        kit = Kit(
            api=api,
            clock=self._clock,
            network=self._network,
            runtimes=self._runtimes,
            runtime=HOST_RUNTIME,
            containers=self._containers if settings.runtime == AUTO else None,
            puller=self._puller,
            images=Images(settings.home),
            volumes=Volumes(settings.home, settings.id, api_tokens(api), aside),
            handler=handler,
            events=Recorder(api, self._clock, chance, "kubelet", name),
            names=self._names,
            home=settings.home,
            node=name,
            host_ip=own.ip,
            loopback=settings.addresses.network == "loopback",
            base=base,
            allocatable=capacity(self._here, share),
            starts=self._starts,
            resolver=self._network.resolver(settings.home),
            dns=self._dns,
            aside=aside,
            number=number,
        )
        return NodeAgent(kit, self._here, share)

    def _as(self, name: str) -> LocalApi:
        user = User(f"system:node:{name}", ("system:nodes", "system:authenticated"))
        return self._api.as_(user)  # type: ignore[return-value]  # inside the house, as_ gives the same kind of API

    def _tell_recovered(self) -> None:
        found = set(self._network.recovered)
        for pod in self._api.view.list("pods") if found else ():
            agent = self._by_name.get(pod["spec"].get("nodeName", ""))
            if agent is not None and pod["metadata"]["uid"] in found:
                ip = self._network.attached()[pod["metadata"]["uid"]].ip
                agent.kit.events.emit(pod, "Warning", "AddressRecovered", RECOVERED.format(ip=ip))

    def _pod(self, pod: Obj, gone: bool) -> None:
        agent = self._by_name.get(pod["spec"].get("nodeName", ""))
        if agent is not None:
            (agent.gone if gone else agent.offer)(pod)

    def _pods(self, pods: Sequence[Obj]) -> None:
        uids = {p["metadata"]["uid"] for p in pods}
        for a in self.agents:
            a.known(uids)

    def _node(self, node: Obj, gone: bool) -> None:
        agent = self._by_name.get(node["metadata"]["name"])
        if agent is not None:
            agent.node(self._api.view.get("nodes", "", agent.share.name))

    def _nodes(self, nodes: Sequence[Obj]) -> None:
        """These are all that there are: whose Node went while nobody looked registers again."""
        names = {n["metadata"]["name"] for n in nodes}
        for name, agent in self._by_name.items():
            if name not in names:
                agent.node(self._api.view.get("nodes", "", name))

    async def _tidy(self) -> None:
        """Puts away what pods left that are no more, or whose node is not one of ours any more."""
        pods = self._api.view.list("pods")
        uids = {p["metadata"]["uid"] for p in pods if p["spec"].get("nodeName", "") in ("", *self._by_name)}
        uids |= {w.work.uid for a in self.agents for w in a.workers}
        kit = self.agents[0].kit
        await sweep(self._settings.home, uids, self._runtimes.values(), self._network, kit.aside)
        kit.volumes.sweep(uids)
        if self._containers is not None:
            await kit.aside(partial(self._containers.release_all_but, uids))

    def _worked(self) -> None:
        self._works.set()
        self._busy.set()

    def _ask(self) -> bool:
        for a in self.agents:
            if not a.broken:
                a.asked()
        return any(True for a in self.agents for _ in a.workers)

    def _data(self, kind: str, obj: Obj, gone: bool) -> None:
        """A ConfigMap or Secret is there or has changed: who waits for it tries again, who shows it is renewed."""
        for a in self.agents:
            for w in a.workers:
                w.data_changed(kind, obj["metadata"]["namespace"], obj["metadata"]["name"])

    async def _sample(self) -> None:
        """Beats once a second while something runs."""
        while True:
            if not self.samples.take() and not any(True for a in self.agents for _ in a.workers):
                self._works.clear()
                await self._works.wait()
            await self._clock.sleep(EVERY_S)


def room(containers: Containers | None, clock: Clock) -> int:
    """How many images went that nothing uses: they can be had again."""
    return 0 if containers is None else len(make_room(containers.store, clock.now_s()))


async def forget_nodes(api: LocalApi, ours: Container[str]) -> None:
    """Nodes that this house had when it was divided into more: nobody would look after their pods."""
    for node in api.view.list("nodes"):
        name = node["metadata"]["name"]
        if name not in ours and HOST in (node["metadata"].get("annotations") or {}):
            try:
                await api.delete("nodes", "", name)
            except StatusError as e:
                log.warning("node %s, which is no more, stays in the list: %s", name, e)


def base_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What every program of this machine is given of ours: no secrets of the user's shell."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")
    return {k: environ[k] for k in kept if k in environ}


async def told(agents: Sequence[NodeAgent]) -> None:
    """Until the API has heard what became of each pod since an earlier control looked: until then it may call one
    ready that is dead."""
    for agent in agents:
        await agent.has_taken_over.wait()
        await asyncio.gather(*(worker.told() for worker in agent.workers))
