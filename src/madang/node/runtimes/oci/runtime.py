"""The container runtime: containers from images, by runc or crun, each under a monitor of its own.

In: a `Launch` with its `container` part. Out: as every runtime. Which program makes the containers is found by really
running one (`probe`), and every container keeps the one that it was started by.
"""

import asyncio
import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from madang.node.runtimes import cgroup
from madang.node.runtimes.cgroup import Cgroups
from madang.node.runtimes.ground import Ground
from madang.node.runtimes.monitor import ipc
from madang.node.runtimes.monitor.request import OciSpec, RunSpec
from madang.node.runtimes.monitor.runc import CONFIG
from madang.node.runtimes.monitored import Monitored
from madang.node.runtimes.oci import mounts, rootfs
from madang.node.runtimes.oci.inside import inside
from madang.node.runtimes.oci.probing import CANDIDATES, Candidates, Verdict, trial
from madang.node.runtimes.oci.terminal import TerminalSession
from madang.node.runtimes.orders import run
from madang.node.runtimes.runtime import Ability, Exit, Launch, Running
from madang.node.runtimes.session import Session, streams
from madang.porch import standing
from madang.ports.streams import ExecOptions

PING = "net.ipv4.ping_group_range"


class ContainerRuntime(Monitored):
    """`ground` is the host runtime's: the same walls stand around the monitors, the same zygote makes them.
    `home` is where the containers' folders lie (their file system must bear an overlay).
    `candidates` are tried in order, the first that works is taken."""

    name = "container"

    def __init__(self, ground: Ground, home: Path | None = None, candidates: Sequence[str] = CANDIDATES) -> None:
        super().__init__(ground.zygote)
        self._ground, self._home = ground, home
        self._candidates = Candidates(candidates)
        self.program = ""  # once `probe` has found it

    @property
    def cgroups(self) -> Cgroups | None:
        return self._ground.cgroups

    @property
    def limits(self) -> Cgroups | None:
        """None where no cgroup can be made: inside, without one that was delegated."""
        return self.cgroups if self.cgroups is not None and self.cgroups.version else None

    async def probe(self) -> Ability:
        walls = await self._ground.outer()
        if why := self._candidates.hopeless(walls, self.cgroups):
            return Ability(self.name, False, why)
        refused, found = [], self._candidates.found()
        verdict = Verdict(self._home, found)
        if known := verdict.read():
            self.program = known
            return Ability(self.name, True, details={"program": known})
        for file in found:
            self.program = file
            if not (why := await self._tried()):
                verdict.write(file)
                return Ability(self.name, True, details={"program": file})
            refused.append(f"{file}: {why}")
        self.program = ""
        return Ability(self.name, False, "; ".join(refused))

    async def _tried(self) -> str:
        """Empty where it ran a container to its end."""
        try:
            with trial(self._home) as launch:
                running = await self.start(launch)
                ended = await self.wait(running, launch.folder)
                await self.remove(launch.folder)
        except OSError as error:
            return str(error)
        return "" if ended.code == 0 else ended.message or f"a container ended with code {ended.code}"

    @property
    def private_mounts(self) -> bool:
        return True

    def refuses(self, launch: Launch) -> str:
        if not self.program:
            return "no container runtime works on this machine"
        return "" if launch.container is not None else "there is no image to make a container from"

    def unheld(self, launch: Launch) -> str:
        """As `Limited` has it."""
        return cgroup.unheld(self.cgroups, launch.cpu_millis)

    async def start(self, launch: Launch) -> Running:
        walls = await self._ground.outer()
        try:
            whole = self._spec(launch)
        except ValueError as error:
            return Running(launch.id, 0, 0, 0.0, failed=Exit(128, 0, 0.0, 0.0, "StartError", str(error)))
        launch.folder.mkdir(parents=True, exist_ok=True)
        if os.listdir(launch.folder):
            await self.clear(launch.folder)
        order: RunSpec = {**run(launch, walls, None, ()), "oci": whole}
        watched = None if self.limits else memory_bytes(launch)
        order |= {"netns": "", "mounts": [], "hostname": "", "memory_bytes": watched, "env": {}, "cwd": "/"}
        return await self.begin(launch.id, launch.folder, order)

    def _spec(self, launch: Launch) -> OciSpec:
        if launch.container is None or (self.cgroups is None and not standing.inside()):
            raise ValueError(self.refuses(launch) or "containers need cgroups")
        plan = rootfs.plan(launch.container.layers)
        key = hashlib.sha1(launch.id.encode(), usedforsecurity=False).hexdigest()[:20]
        config = dict(launch.container.config)
        linux = dict(config["linux"])
        if limits := self.limits:
            linux["cgroupsPath"] = limits.path(key)
        else:
            linux.pop("resources", None)  # nobody may set them here
        if standing.inside():
            linux["sysctl"] = fitted(linux.get("sysctl", {}), last_group(Path("/proc/self/gid_map").read_text()))
        config["linux"] = linux
        shared = share_ipc(config) if launch.container.ipc is not None else False
        spec: OciSpec = {
            "runtime": self.program,
            "config": json.dumps(config),
            "links": plan.links,
            "folders": list(plan.folders),
            # inside, `trusted` attributes are root's outside alone
            "options": plan.options + (",userxattr" if standing.inside() else ""),
            "cgroup": limits.tree(key) if limits else {"folders": [], "files": {}, "memory": ""},
        }
        spec["parts"] = {
            mounts.held(m): [str(m.within), str(m.source.relative_to(m.within))] for m in launch.mounts if m.within
        }
        if shared:
            spec["ipc"] = str(launch.container.ipc)
        return spec

    async def clear(self, folder: Path) -> None:
        """A root that is there already, half or whole, would be in the way of the next."""
        await asyncio.to_thread(shutil.rmtree, folder)
        await asyncio.to_thread(folder.mkdir)

    async def exec(self, running: Running, launch: Launch, options: ExecOptions) -> Session:
        kept = self.kept(running, launch.folder)
        config = _config(launch.folder)
        request = {
            "verb": "exec",
            "pid": kept["monitorPid"],
            "tty": options.tty,
            "confinement": kept["confinement"],
            "oci": {
                "runtime": kept["runtime"],
                "folder": str(launch.folder),
                "id": running.id,
                "process": inside(config, options.command, options.env, options.tty),
            },
        }
        if options.tty:
            terminal = TerminalSession()
            await terminal.begin(self.zygote, request, [os.open(os.devnull, os.O_RDWR) for _ in range(3)])
            return terminal
        session, inner = streams(options.stdin, False)
        await session.begin(self.zygote, request, inner)
        return session

    async def remove(self, folder: Path) -> None:
        """Also what it wrote: the upper folder of its root."""
        await super().remove(folder)
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def share_ipc(config: dict[str, Any]) -> bool:
    """Have the container in its monitor's IPC namespace, with the memory that its monitor shows. False where it wants
    the machine's namespace."""
    spaces = config["linux"]["namespaces"]
    if "ipc" not in {entry["type"] for entry in spaces}:
        return False
    named = [entry | {"path": ipc.OWN} if entry["type"] == "ipc" else entry for entry in spaces]
    config["linux"] = {**config["linux"], "namespaces": named}
    config["mounts"] = [mounts.shared_memory() if _is_memory(entry) else entry for entry in config["mounts"]]
    return True


def _is_memory(mount: Mapping[str, Any]) -> bool:
    """Not where the pod mounts something else there."""
    return bool(mount["destination"] == "/dev/shm" and mount["source"] == "shm")


def fitted(sysctls: Mapping[str, str], last: int) -> dict[str, str]:
    """The kernel takes no range of groups that a user namespace does not have."""
    ping = sysctls.get(PING, "")
    return {**sysctls, PING: f"{ping.split()[0]} {last}"} if ping and int(ping.split()[1]) > last else dict(sysctls)


def last_group(text: str) -> int:
    """Of those that follow on 0 in a map without gaps."""
    return sum(int(row.split()[2]) for row in text.splitlines()) - 1


def memory_bytes(launch: Launch) -> int | None:
    """The limit that the monitor watches where no cgroup holds it."""
    resources = launch.container.config["linux"].get("resources", {}) if launch.container is not None else {}
    limit: int | None = resources.get("memory", {}).get("limit")
    return launch.memory_bytes or limit


def _config(folder: Path) -> dict[str, Any]:
    """As it was started, also by an older madang."""
    found: dict[str, Any] = json.loads((folder / CONFIG).read_bytes())
    return found
