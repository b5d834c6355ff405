"""The host runtime: a container is a process of this machine, started from its source folder.

In: `Launch`. Out: processes, each under a monitor of its own, with private mounts and a PID namespace where this
machine allows them (`probe` says what it does and why not more). Nothing is remembered that the start's folder
doesn't hold: `adopt` finds everything again.
"""

import asyncio
import hashlib
import os
import signal as signals
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from madang.node.runtimes import cgroup, confinement, logs, places
from madang.node.runtimes.aftermath import end_marked, gone, lost, mark, to_exit
from madang.node.runtimes.monitor import record
from madang.node.runtimes.monitor.request import Confinement, RunSpec
from madang.node.runtimes.runtime import Ability, Exit, Launch, Running, Sample
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
        self._zygote = Zygote()
        self._hide = [str(path) for path in hide]
        self._found = confinement.Found(walls) if walls else None
        self._probing = asyncio.Lock()
        self._cgroups = cgroup.Cgroups(courtyard) if limits else None
        self._processes = Processes()
        self._records: dict[str, dict[str, Any]] = {}

    async def probe(self) -> Ability:
        found = await self._walls()
        walls = found.walls.confinement
        limits = self._cgroups.version if self._cgroups else 0
        why_no_limits = (self._cgroups.why_not if self._cgroups else "") or "switched off"
        why = f" ({found.why_not})" if found.refused else ""
        details = {
            "walls": found.walls.name + why,
            "mounts": "private" if walls["mounts"] else f"none: volumes only inside the pod's own folder{why}",
            "processes": "own PID namespace" if walls["pids"] else f"ended with their monitor{why}",
            "limits": f"cgroup v{limits}" if limits else f"memory watched, cpu not limited ({why_no_limits})",
        }
        return Ability(self.name, True, details=details)

    @property
    def private_mounts(self) -> bool:
        """Known once `probe` has run."""
        return self._found is not None and self._found.walls.confinement["mounts"]

    async def _walls(self) -> confinement.Found:
        async with self._probing:
            if self._found is None:
                folder = tempfile.mkdtemp(prefix="madang-probe-")
                try:
                    self._found = await confinement.find(lambda walls: self._try(walls, folder))
                finally:
                    os.rmdir(folder)
            return self._found

    async def _try(self, walls: Confinement, folder: str) -> str:
        answer = await self._zygote.ask({"verb": "probe", "confinement": walls, "folder": folder})
        return "" if answer.get("works") else str(answer.get("error", "refused"))

    def refuses(self, launch: Launch) -> str:
        user, _, _ = launch.user.partition(":")
        me = os.geteuid()
        if user.isdigit() and int(user) != me and me != 0:
            return f"should run as user {user}, and only root may become another user: here everything is user {me}"
        if self._found is not None and not self._found.walls.confinement["mounts"]:
            return places.refusal(launch)
        return ""

    async def start(self, launch: Launch) -> Running:
        found = await self._walls()
        if why := self.refuses(launch):
            now = asyncio.get_running_loop().time()
            return Running(launch.id, 0, 0, now, failed=Exit(128, 0, now, now, "StartError", why))
        launch.folder.mkdir(parents=True, exist_ok=True)
        if not found.walls.confinement["mounts"]:
            places.link(launch)
        spec = self._spec(launch, found.walls.confinement)
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
        return self._running(launch.id, answer.get("running"), answer.get("exit"))

    def _spec(self, launch: Launch, walls: Confinement) -> RunSpec:
        key = hashlib.sha1(launch.id.encode(), usedforsecurity=False).hexdigest()[:20]
        groups = self._cgroups.spec(key, launch.cpu_millis, launch.memory_bytes) if self._cgroups else None
        return {
            "verb": "run",
            "id": launch.id,
            "folder": str(launch.folder),
            "argv": list(launch.argv),
            "env": dict(launch.env) if walls["pids"] else mark(launch.env, launch.id),
            "cwd": launch.cwd,
            "log": str(launch.log),
            "log_max_bytes": launch.log_max_bytes,
            "log_files": launch.log_files,
            "mounts": [
                {
                    "source": str(mount.source),
                    "target": mount.target,
                    "read_only": mount.read_only,
                    "tmpfs": mount.tmpfs,
                    "size_bytes": mount.size_bytes,
                }
                for mount in launch.mounts
            ],
            "hostname": launch.hostname,
            "netns": launch.netns,
            "hide": self._hide,
            "user": launch.user,
            "groups": list(launch.groups),
            "stdin": launch.stdin,
            "tty": launch.tty,
            "cgroup": groups,
            "memory_bytes": None if groups else launch.memory_bytes,
            "confinement": walls,
        }

    def _running(self, id: str, running: dict[str, Any] | None, ended: dict[str, Any] | None) -> Running:
        if running is None:
            failed = to_exit(ended or {})
            return Running(id, 0, 0, failed.started_at_s, failed=failed)
        self._records[id] = running
        return Running(id, running["pid"], running["startedTicks"], running["startedAt"])

    def adopt(self, folder: Path) -> Running | Exit | None:
        if ended := record.read(folder, record.EXIT):
            return to_exit(ended)
        running = record.read(folder, record.RUNNING)
        if running is None:
            return None
        if record.alive(running["monitorPid"], running["monitorTicks"]):
            return self._running(running["id"], running, None)
        if ended := record.read(folder, record.EXIT):  # it ended between the two looks
            return to_exit(ended)
        self._records.pop(running["id"], None)
        end_marked(running)
        return lost(running)

    async def wait(self, running: Running, folder: Path) -> Exit:
        if running.failed is not None:
            return running.failed
        kept = record.read(folder, record.RUNNING)
        if kept is not None:
            await gone(kept["monitorPid"], kept["monitorTicks"])
        found = self.adopt(folder)
        self._records.pop(running.id, None)
        return found if isinstance(found, Exit) else lost(kept or {"startedAt": running.started_at_s})

    async def signal(self, running: Running, signal: int, *, group: bool = True) -> None:
        if not running.pid or not record.alive(running.pid, running.started_ticks):
            return
        for target in (-running.pid, running.pid) if group else (running.pid,):
            try:
                os.kill(target, signal)
                return
            except ProcessLookupError:
                continue

    async def kill(self, running: Running) -> None:
        """The monitor ends the rest as soon as the program is gone, and writes down how."""
        await self.signal(running, signals.SIGKILL)

    async def remove(self, folder: Path) -> None:
        for name in (record.RUNNING, record.EXIT, "stdin"):
            (folder / name).unlink(missing_ok=True)
        for place in (folder / "root", folder):
            try:
                place.rmdir()
            except OSError:
                continue

    async def exec(self, running: Running, launch: Launch, options: ExecOptions) -> Session:
        kept = self._records.get(running.id) or record.read(launch.folder, record.RUNNING)
        if kept is None or not record.alive(kept["monitorPid"], kept["monitorTicks"]):
            raise NotFound(f'container "{running.id}" is not running')
        env = {**launch.env, **dict(options.env)}
        if options.tty:
            env.setdefault("TERM", "xterm")
        session, inner = streams(options.stdin, options.tty)
        request = {
            "verb": "exec",
            "pid": kept["monitorPid"],
            "argv": list(options.command),
            "env": env if kept["confinement"]["pids"] else mark(env, launch.id),
            "cwd": launch.cwd,
            "user": launch.user,
            "groups": list(launch.groups),
            "tty": options.tty,
            "cgroup": kept["cgroup"]["folders"] if kept["cgroup"] else [],
            "confinement": kept["confinement"],
        }
        await session.begin(self._zygote, request, inner)
        return session

    def sample(self, running: Running) -> Sample | None:
        kept = self._records.get(running.id)
        if kept is None:
            return None
        if kept["cgroup"]:
            return cgroup.sample(kept["cgroup"])
        return self._processes.sample(kept["monitorPid"])

    def logs(self, log: Path, *, follow: bool) -> AsyncIterator[bytes]:
        return logs.read(log, follow=follow)

    def close(self, *, sweep: bool = False) -> None:
        """Let go of the zygote; containers go on. `sweep`: also remove what empty cgroups are left (`down`)."""
        self._zygote.close()
        if sweep and self._cgroups:
            self._cgroups.sweep()
