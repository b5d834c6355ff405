"""The host runtime: a container is a process of this machine, started from its source folder.

In: `Launch`. Out: processes, each under a monitor of its own, with private mounts and a PID namespace where this
machine allows them (`probe` says what it does and why not more). Nothing is remembered that the start's folder
doesn't hold: `adopt` finds everything again.
"""

import asyncio
import os
import signal as signals
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from madang.node.runtimes import cgroup, confinement, logs, orders, places
from madang.node.runtimes.aftermath import end_marked, give_up, gone, lost, to_exit, unkillable
from madang.node.runtimes.ground import Ground
from madang.node.runtimes.monitor import record
from madang.node.runtimes.notices import Notices
from madang.node.runtimes.runtime import Ability, Exit, Launch, Running, Sample, SignalRefused
from madang.node.runtimes.session import Session, streams
from madang.node.runtimes.usage import Processes
from madang.node.runtimes.zygote import NoZygote, Zygote
from madang.ports.errors import NotFound
from madang.ports.streams import ExecOptions


class HostRuntime:
    """`hide` are folders of the machine with mounts that no container may keep alive (network namespaces).
    `walls` skips the search for what works here; `limits` False leaves cgroups alone."""

    name = "host"

    def __init__(
        self,
        courtyard: str,
        *,
        hide: Sequence[Path] = (),
        walls: confinement.Walls | None = None,
        limits: bool = True,
    ) -> None:
        self._courtyard = courtyard
        self._zygote = Zygote()
        self._hide = [str(path) for path in hide]
        self.ground = Ground(self._zygote, cgroup.Cgroups(courtyard) if limits else None, walls)
        self._processes = Processes()
        self._records: dict[str, dict[str, Any]] = {}
        self._notices = Notices()

    async def probe(self) -> Ability:
        return Ability(self.name, True, details=await self.ground.describe())

    @property
    def private_mounts(self) -> bool:
        """Known once `probe` has run."""
        return self.ground.known is not None and self.ground.known["mounts"]

    def refuses(self, launch: Launch) -> str:
        user, _, _ = launch.user.partition(":")
        me = os.geteuid()
        if user.isdigit() and int(user) != me and me != 0:
            return f"should run as user {user}, and only root may become another user: here everything is user {me}"
        return "" if self.private_mounts or self.ground.known is None else places.refusal(launch)

    async def start(self, launch: Launch) -> Running:
        walls = await self.ground.walls()
        if why := self.refuses(launch):
            now = time.time()
            return Running(launch.id, 0, 0, now, failed=Exit(128, 0, now, now, "StartError", why))
        launch.folder.mkdir(parents=True, exist_ok=True)
        if not walls["mounts"]:
            places.link(launch)
        spec = orders.run(launch, walls, self.ground.cgroups, self._hide)
        for attempt in (1, 2):
            try:
                answer = await self._zygote.ask(spec)
                break
            except NoZygote:
                begun = self.adopt(launch.folder)
                if isinstance(begun, Running):
                    return begun
                if begun is not None or attempt == 2:
                    raise
        return self._running(launch.id, answer.get("running"), answer.get("exit"), launch.folder)

    def _running(self, id: str, running: dict[str, Any] | None, ended: dict[str, Any] | None, folder: Path) -> Running:
        if running is None:
            failed = to_exit(ended or {})
            return Running(id, 0, 0, failed.started_at_s, failed=failed)
        self._records[id] = {**running, "folder": str(folder)}
        return Running(id, running["pid"], running["startedTicks"], running["startedAt"])

    def adopt(self, folder: Path) -> Running | Exit | None:
        if ended := record.read(folder, record.EXIT):
            return to_exit(ended)
        running = record.read(folder, record.RUNNING)
        if running is None:
            return None
        if record.alive(running["monitorPid"], running["monitorTicks"]):
            return self._running(running["id"], running, None, folder)
        if ended := record.read(folder, record.EXIT):  # it ended between the two looks
            return to_exit(ended)
        self._records.pop(running["id"], None)
        end_marked(running)
        if running["cgroup"]:
            cgroup.remove(running["cgroup"]["folders"])
        return lost(running)

    async def wait(self, running: Running, folder: Path) -> Exit:
        if running.failed is not None:
            return running.failed
        kept = self._records.get(running.id) or record.read(folder, record.RUNNING)
        if kept is not None:
            await gone(kept["monitorPid"], kept["monitorTicks"])
        found = self.adopt(folder)
        self._records.pop(running.id, None)
        return found if isinstance(found, Exit) else lost(kept or {"startedAt": running.started_at_s})

    async def signal(self, running: Running, signal: int, *, group: bool = True) -> None:
        if not running.pid or not record.alive(running.pid, running.started_ticks):
            return
        refused = False
        for target in (-running.pid, running.pid) if group else (running.pid,):
            try:
                os.kill(target, signal)
                return
            except ProcessLookupError:
                continue
            except PermissionError:  # where a set-user-id program can be run, it may become somebody else
                refused = True
        if refused and record.alive(running.pid, running.started_ticks):
            raise SignalRefused(unkillable(running.pid))

    async def kill(self, running: Running) -> None:
        """The monitor ends the rest as soon as the program is gone, and writes down how."""
        try:
            await self.signal(running, signals.SIGKILL)
        except SignalRefused as refused:
            if kept := self._records.get(running.id):
                give_up(kept, str(refused))
            raise

    async def remove(self, folder: Path) -> None:
        await asyncio.to_thread(forget, folder)

    async def exec(self, running: Running, launch: Launch, options: ExecOptions) -> Session:
        kept = self._records.get(running.id) or record.read(launch.folder, record.RUNNING)
        if kept is None or not record.alive(kept["monitorPid"], kept["monitorTicks"]):
            raise NotFound(f'container "{running.id}" is not running')
        session, inner = streams(options.stdin, options.tty)
        request = orders.exec(launch, options, kept)
        await session.begin(self._zygote, request, inner)
        return session

    def sample(self, running: Running) -> Sample | None:
        kept = self._records.get(running.id)
        if kept is None:
            return None
        if kept["cgroup"]:
            return cgroup.sample(kept["cgroup"])
        return self._processes.sample(kept["monitorPid"])

    def logs(
        self, log: Path, *, until: "asyncio.Future[Any] | None" = None, tail: int | None = None, stream: str = ""
    ) -> AsyncGenerator[bytes, None]:
        return logs.read(log, until=until, tail=tail, stream=stream, notices=self._notices)

    def close(self, *, sweep: bool = False) -> None:
        """Let go of the zygote; containers go on. `sweep`: also remove what empty cgroups are left (`down`)."""
        self._zygote.close()
        if sweep:
            cgroup.sweep(self._courtyard)


def forget(folder: Path) -> None:
    """Blocks for some milliseconds on a busy disk."""
    if (kept := record.read(folder, record.RUNNING)) and kept["cgroup"]:
        cgroup.remove(kept["cgroup"]["folders"])
    for name in (record.RUNNING, record.EXIT, record.partial(record.EXIT), "stdin"):
        (folder / name).unlink(missing_ok=True)
    for place in (folder / "root", folder):
        with suppress(OSError):
            place.rmdir()
