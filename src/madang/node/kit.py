"""What all pod workers of a node work with: the ports, and what is the same for every pod there."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from madang.node.aside import Aside, at_once
from madang.node.containers.choice import CONTAINER, HOST, choose
from madang.node.containers.containers import Containers
from madang.node.events import Recorder
from madang.node.images.images import Images
from madang.node.launch.environment import Place
from madang.node.names.names import Names
from madang.node.networks.network import Network
from madang.node.pod.facts import Now
from madang.node.probes.handler import Handler
from madang.node.pulling.puller import Puller
from madang.node.runtimes.runtime import Runtime
from madang.node.volumes.volumes import Volumes
from madang.ports.api import LocalApi
from madang.ports.clock import Clock
from madang.ports.objects import Obj
from madang.ports.program import Program
from madang.ports.settings import RUNTIME


@dataclass(frozen=True, slots=True)
class Kit:
    """`runtimes` by name, `runtime` the name of the default; `base` is every program's environment.
    `containers` knows the images that can be run as such; None: no container runtime works, or none is wanted.
    `puller` brings images that are lacking, for all pods of all nodes.
    `starts` bounds how many containers are started at once. `dns`: the address of the house's own server, if any."""

    api: LocalApi
    clock: Clock
    network: Network
    runtimes: Mapping[str, Runtime]
    runtime: str
    images: Images
    volumes: Volumes
    handler: Handler
    events: Recorder
    names: Names
    home: Path
    node: str
    host_ip: str
    loopback: bool
    base: Mapping[str, str]
    allocatable: Mapping[str, str]
    starts: asyncio.Semaphore
    resolver: Path | None = None
    dns: str = ""
    aside: Aside = at_once
    containers: Containers | None = None
    number: int = 1  # which of the courtyard's nodes this is
    puller: Puller | None = None

    def now(self) -> Now:
        return Now(self.clock.now_s(), self.clock.monotonic_s())

    def place(self, pod_ip: str) -> Place:
        return Place(pod_ip, self.host_ip, self.loopback, self.allocatable)

    def choose(self, pod: Obj) -> str:
        """The name of the runtime that a pod gets if it is started now. A container needs a network of its own, unless
        it wants this machine's: what it listens on is its own affair."""
        named = pod["spec"].get("runtimeClassName")
        if not named and (pod["metadata"].get("annotations") or {}).get(RUNTIME) == HOST:
            return self.runtime
        known = self.containers if CONTAINER in self.runtimes else None
        if named or known is None or (self.loopback and not pod["spec"].get("hostNetwork")):
            return named or self.runtime
        return choose(pod, self.runtime, lambda n: known.find(n) is not None, self._on_host)

    def _on_host(self, reference: str) -> bool:
        return isinstance(self.images.resolve(reference, "Never"), Program)
