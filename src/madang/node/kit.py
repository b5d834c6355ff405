"""What all pod workers of a node work with: the ports, and what is the same for every pod there."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from madang.node.aside import Aside, at_once
from madang.node.events import Recorder
from madang.node.images.images import Images
from madang.node.launch.environment import Place
from madang.node.names.names import Names
from madang.node.networks.network import Network
from madang.node.pod.facts import Now
from madang.node.probes.handler import Handler
from madang.node.runtimes.runtime import Runtime
from madang.node.volumes.volumes import Volumes
from madang.ports.api import LocalApi
from madang.ports.clock import Clock
from madang.ports.objects import Obj


@dataclass(frozen=True, slots=True)
class Kit:
    """`runtimes` by name, `runtime` the name of the default; `base` is every program's environment.
    `starts` bounds how many containers are started at once."""

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
    aside: Aside = at_once

    def now(self) -> Now:
        return Now(self.clock.now_s(), self.clock.monotonic_s())

    def place(self, pod_ip: str) -> Place:
        return Place(pod_ip, self.host_ip, self.loopback, self.allocatable)

    def runtime_of(self, pod: Obj) -> Runtime | None:
        """None where the pod asks for a runtime that this machine does not have."""
        return self.runtimes.get(pod["spec"].get("runtimeClassName") or self.runtime)

    def runtime_or_default(self, pod: Obj) -> Runtime:
        """What already runs must be stopped and forgotten by somebody, also where the name means nothing here."""
        return self.runtime_of(pod) or self.runtimes[self.runtime]
