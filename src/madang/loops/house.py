"""All loops of one courtyard, put together: the watches, the scheduler, one loop a controller, each supervised.

In: the API, time, chance, samples, the CA's text. Out: nothing; `run` ends only when cancelled. An idle house costs
nothing: no loop beats by itself but the autoscaler, and that only while it has a target.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from madang.control import (
    collector,
    dependency,
    deployment,
    endpoints,
    endpointslice,
    endpointslicemirroring,
    eventttl,
    job,
    replicaset,
    replicationcontroller,
    tainteviction,
)
from madang.control.controller import Controller, Ref
from madang.control.namespace import NamespaceController
from madang.control.nodelifecycle import NodeLifecycle
from madang.control.podgc import PodCollector
from madang.control.storage import ephemeral, volume
from madang.control.storage.claim import ClaimBinder
from madang.control.storage.protection import ClaimProtection, VolumeProtection
from madang.loops.autoscaler import AutoscalerLoop
from madang.loops.controller_loop import ControllerLoop
from madang.loops.scheduler import Scheduler
from madang.loops.supervisor import supervise
from madang.loops.watcher import Watcher
from madang.ports.api import LocalApi
from madang.ports.chance import Chance
from madang.ports.clock import Clock
from madang.ports.settings import Settings
from madang.ports.streams import Liveness, Samples


class Loops:
    """`samples` None: no autoscaling on metrics. `liveness` None: no node is ever taken for silent. `ca_pem` is what
    pods trust the API by."""

    def __init__(
        self,
        api: LocalApi,
        settings: Settings,
        clock: Clock,
        chance: Chance,
        samples: Samples | None,
        ca_pem: str,
        *,
        liveness: Liveness | None = None,
    ) -> None:
        self._api, self._settings, self._clock, self._chance = api, settings, clock, chance
        self._samples, self._ca_pem, self._liveness = samples, ca_pem, liveness

    async def run(self) -> None:
        """A crash of one loop starts all of them again: they share watches, and start by reading everything."""
        await supervise("loops", self._once, self._clock)

    async def _once(self) -> None:
        watcher = Watcher(self._api, self._clock)
        scheduler = Scheduler(self._api, watcher, self._clock)
        loops = [ControllerLoop(one, self._api, watcher, self._clock, self._chance) for one in self.controllers()]
        async with asyncio.TaskGroup() as group:
            group.create_task(scheduler.run(), name="scheduler")
            for loop in loops:
                group.create_task(loop.run(), name=loop.name)
            if self._samples is not None:
                autoscaler = AutoscalerLoop(self._api, watcher, self._clock, self._samples)
                group.create_task(autoscaler.run(), name="autoscaler")
            if self._liveness is not None:
                nodes = next(loop for loop in loops if loop.name == NodeLifecycle.NAME)
                group.create_task(wake_nodes(self._liveness, nodes), name="liveness")
            for kind in watcher.kinds:
                group.create_task(watcher.run(kind), name=f"watch {kind}")

    def controllers(self) -> Sequence[Controller]:
        plain: list[Any] = [
            *(deployment, replicaset, replicationcontroller, job, dependency),
            *(endpointslice, endpoints, endpointslicemirroring),
            *(collector, tainteviction, eventttl, ephemeral, volume),
        ]
        made: list[Any] = [NamespaceController(self._ca_pem), NodeLifecycle(self._liveness), PodCollector()]
        made += [ClaimBinder(str(self._settings.home / "volumes")), ClaimProtection(), VolumeProtection()]
        return cast(Sequence[Controller], [*plain, *made])


async def wake_nodes(liveness: Liveness, loop: ControllerLoop) -> None:
    """Silence is no object: nothing else tells of it."""
    async for name in liveness.changes():
        loop.queue.add(Ref("", name))
