"""The host runtime: a container is a process of this machine, started from its source folder.

In: `Launch`. Out: processes, each under a monitor of its own, with private mounts and a PID namespace where this
machine allows them (`probe` says what it does and why not more). Nothing is remembered that the start's folder
doesn't hold: `adopt` finds everything again.
"""

import time
from collections.abc import Sequence
from pathlib import Path

from madang.node.runtimes import cgroup, confinement, orders, places
from madang.node.runtimes.ground import Ground
from madang.node.runtimes.monitored import Monitored
from madang.node.runtimes.runtime import Ability, Exit, Launch, Running
from madang.node.runtimes.session import Session, streams
from madang.node.runtimes.zygote import Zygote
from madang.porch import standing
from madang.ports.streams import ExecOptions


class HostRuntime(Monitored):
    """`hide` are folders of the machine with mounts that no container may keep alive (network namespaces).
    `walls` skips the search for what works here; `limits` False leaves cgroups alone.
    `zygote`: one that is there already, ours from now on."""

    name = "host"

    def __init__(
        self,
        courtyard: str,
        *,
        hide: Sequence[Path] = (),
        walls: confinement.Walls | None = None,
        limits: bool = True,
        zygote: Zygote | None = None,
    ) -> None:
        super().__init__(zygote or Zygote())
        self._courtyard = courtyard
        self._hide = [str(path) for path in hide]
        self.ground = Ground(self.zygote, cgroup.Cgroups(courtyard) if limits else None, walls)

    async def probe(self) -> Ability:
        return Ability(self.name, True, details=await self.ground.describe())

    @property
    def private_mounts(self) -> bool:
        """Known once `probe` has run."""
        return self.ground.known is not None and self.ground.known["mounts"]

    def refuses(self, launch: Launch) -> str:
        user, _, _ = launch.user.partition(":")
        me = standing.user()
        if user.isdigit() and int(user) != me and me != 0:
            return f"should run as user {user}, and only root may become another user: here everything is user {me}"
        return "" if self.private_mounts or self.ground.known is None else places.refusal(launch)

    def unheld(self, launch: Launch) -> str:
        """Which limit cannot hold on this machine, and why; empty where all do."""
        return cgroup.unheld(self.ground.cgroups, launch.cpu_millis)

    async def start(self, launch: Launch) -> Running:
        walls = await self.ground.walls()
        if why := self.refuses(launch):
            now = time.time()
            return Running(launch.id, 0, 0, now, failed=Exit(128, 0, now, now, "StartError", why))
        launch.folder.mkdir(parents=True, exist_ok=True)
        if not walls["mounts"]:
            places.link(launch)
        spec = orders.run(launch, walls, self.ground.cgroups, self._hide)
        return await self.begin(launch.id, launch.folder, spec)

    async def exec(self, running: Running, launch: Launch, options: ExecOptions) -> Session:
        kept = self.kept(running, launch.folder)
        session, inner = streams(options.stdin, options.tty)
        request = orders.exec(launch, options, kept)
        await session.begin(self.zygote, request, inner)
        return session

    def close(self, *, sweep: bool = False) -> None:
        """Let go of the zygote; containers go on. `sweep`: also remove what empty cgroups are left (`down`)."""
        self.zygote.close()
        if sweep:
            cgroup.sweep(self._courtyard)
