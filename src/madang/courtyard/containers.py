"""Containers in this house: whether they work here is found out when it matters, never while somebody waits in vain.

In: the host runtime (its walls, its zygote), the courtyard's home. Out: the runtimes that there are, the images that
can be run, what `madang status` says of it. With images in the store a start waits for the answer; without any the
answer is found once the house stands.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from madang.node.containers.choice import CONTAINER, HOST
from madang.node.containers.containers import Containers
from madang.node.images.place import opened
from madang.node.runtimes.host import HostRuntime
from madang.node.runtimes.oci.machine import look
from madang.node.runtimes.oci.runtime import ContainerRuntime
from madang.node.runtimes.runtime import Ability, Runtime


class Boxes:
    """`runtimes` grows by one when containers are found to work."""

    def __init__(self, host: HostRuntime, home: Path) -> None:
        self.runtimes: dict[str, Runtime] = {HOST: host}
        self.ability = Ability(CONTAINER, False, "not tried yet: no image is here")
        self._runtime = ContainerRuntime(host.ground, home)
        self._home = home
        self.containers: Containers | None = None
        self.found = False
        self._looking: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Beside the other rooms' start."""
        if await asyncio.to_thread(self._open):
            await self.find()

    def _open(self) -> bool:
        """Whether there is any image."""
        groups = self._runtime.cgroups
        store = opened(self._home)
        self.containers = Containers(store, look(groups.version if groups else 0), self._home.name)
        run = any(path.read_text() == CONTAINER for path in self._home.glob("pods/*/runtime"))
        return run or bool(store.all())

    def look(self, then: Callable[[], None]) -> None:
        """Once everything stands: find out what was not yet, so that an image that comes later can be run."""
        if not self.found:
            self._looking = asyncio.create_task(self._look(then), name="look for a container runtime")

    async def _look(self, then: Callable[[], None]) -> None:
        await self.find()
        then()

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})

    async def find(self) -> None:
        self.found = True
        self.ability = await self._runtime.probe()
        if self.ability.works:
            self.runtimes[CONTAINER] = self._runtime
