"""What this machine allows a host process: its walls and its limits, tried once and told in words.

In: a zygote to try things with, the cgroups. Out: the `Confinement` that every start uses; for `madang status`, what
works, what doesn't, and which call was refused.
"""

import asyncio
import os
import tempfile

from madang.node.runtimes import confinement
from madang.node.runtimes.cgroup import Cgroups
from madang.node.runtimes.monitor.request import Confinement
from madang.node.runtimes.zygote import Zygote
from madang.porch import standing


class Ground:
    """`walls` given: taken as they are, nothing is tried."""

    def __init__(self, zygote: Zygote, cgroups: Cgroups | None, walls: confinement.Walls | None = None) -> None:
        self.cgroups = cgroups
        self.zygote = zygote
        self._found = confinement.Found(walls) if walls else None
        self._trying = asyncio.Lock()

    @property
    def known(self) -> Confinement | None:
        return self._found.walls.confinement if self._found else None

    async def walls(self) -> Confinement:
        return (await self._find()).walls.confinement

    async def outer(self) -> Confinement:
        """What stands around the monitors of containers: inside, containers have the ids that the courtyard's own user
        namespace has, and no other namespace of users around them."""
        return confinement.OUTER.confinement if standing.inside() else await self.walls()

    async def _find(self) -> confinement.Found:
        if self._found is None:
            async with self._trying:
                if self._found is None:
                    self._found = await confinement.find(self.attempt)
        return self._found

    async def attempt(self, walls: Confinement) -> str:
        """Empty where these walls can be put up."""
        folder = tempfile.mkdtemp(prefix="madang-probe-")
        try:
            answer = await self.zygote.ask({"verb": "probe", "confinement": walls, "folder": folder})
        finally:
            os.rmdir(folder)
        return "" if answer.get("works") else str(answer.get("error", "refused"))

    async def describe(self) -> dict[str, str]:
        found = await self._find()
        walls = found.walls.confinement
        version = self.cgroups.version if self.cgroups else 0
        why_no_limits = (self.cgroups.why_not if self.cgroups else "") or "switched off"
        why = f" ({found.why_not})" if found.refused else ""
        return {
            "walls": found.walls.name + why,
            "mounts": "private" if walls["mounts"] else f"none: volumes only inside the pod's own folder{why}",
            "processes": "own PID namespace" if walls["pids"] else f"ended with their monitor{why}",
            "limits": f"cgroup v{version}" if version else f"memory watched, cpu not limited ({why_no_limits})",
        }
