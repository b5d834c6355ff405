"""The hand on a pod's containers: has them started and stopped, follows them to their end, forgets them.

In: actions on containers. Out: what the runtime does, and the container's facts.
"""

import asyncio
import shutil
from typing import TYPE_CHECKING

from madang.node.kit import Kit
from madang.node.launching import Launching
from madang.node.pod import actions as do
from madang.node.pod import restart, spec
from madang.node.pod.facts import Container
from madang.node.pod.spec import Role
from madang.node.probes.handler import Target
from madang.node.probes.runner import Runner
from madang.node.runtimes.runtime import Exit, Running, Runtime
from madang.node.starter import Starter
from madang.node.stopper import Stopper
from madang.node.termination import found_its_port_taken, may_not_have_its_port, with_message
from madang.node.verdicts import Verdicts

if TYPE_CHECKING:
    from madang.node.hand import Hand
    from madang.node.worker import PodWorker


SHARED = (
    "its port is taken: on the loopback network all pods share this machine's ports, so a program must listen on "
    "$HOST:$PORT ({ip}), not on all addresses; the bridge network (as root) has no such limit"
)
LOW = (
    "port {port} is below 1024, and only root may open it here: give the program a higher one, or run as root (the "
    "bridge network)"
)


class ContainerHand:
    def __init__(self, kit: Kit, worker: "PodWorker", hand: "Hand") -> None:
        self._kit, self._worker, self._hand = kit, worker, hand
        self.launching = Launching(kit, hand)
        self.verdicts = Verdicts(kit, worker, hand)
        self._starter = Starter(kit, hand, self)
        self._stopper = Stopper(kit, hand, self)
        self._runner = Runner(kit.clock, kit.handler, kit.network, self.verdicts)
        self._probing: dict[str, asyncio.Task[None]] = {}

    def do(self, action: do.Action) -> None:
        match action:
            case do.Start(name, attempt):
                self.facts(name).starting = True
                self._hand.spawn(self._starter.start(spec.role(self._hand.pod, name), attempt))
            case do.ShortenStop(name, deadline_s):
                self._stopper.shorten(name, deadline_s)
            case do.RunPreStop(name):
                self._stopper.pre_stop(name)
            case do.Signal(name):
                self._stopper.signal(name)
            case do.Kill(name):
                self._stopper.kill(name)
            case _:
                raise RuntimeError(f"no hand for {action}")

    async def target(self, name: str) -> Target | None:
        """A running container as probes, hooks and exec meet it."""
        running = self.facts(name).running
        if running is None:
            return None
        role = spec.role(self._hand.pod, name)
        launch = await self.launching.again(role, self.facts(name).attempt)
        return Target(role, self._worker.facts.ip, self.runtime(), running, launch, self.launching.places.get(name))

    def watch(self, role: Role, running: Running, *, adopted: bool = False) -> None:
        """Follow a running container to its end, and ask its probes."""
        self._hand.spawn(self._to_the_end(role, running))
        self._probing[role.name] = self._hand.spawn(self._probe(role, running, adopted))

    async def forget_all(self) -> None:
        folders = self._hand.folders
        for r in spec.roles(self._hand.pod):
            for number in folders.numbers(r.name):
                await self.runtime().remove(folders.attempt(r.name, number))
            shutil.rmtree(folders.attempts(r.name), ignore_errors=True)

    async def _probe(self, role: Role, running: Running, adopted: bool) -> None:
        c = self.facts(role.name)
        target = await self.target(role.name)
        attachment = self._hand.sandbox.attachment
        if target is None or attachment is None or c.running is not running:
            return
        if not adopted and not await self._post_start(target):
            return
        pod = self._hand.pod
        host, maybe = bool(pod["spec"].get("hostNetwork")), spec.maybe_listens(pod)
        await self._runner.run(target, attachment, started=c.started, host_network=host, maybe=maybe)

    async def _post_start(self, target: Target) -> bool:
        hook = (target.role.spec.get("lifecycle") or {}).get("postStart")
        if not hook:
            return True
        result = await self._kit.handler.ask(target, hook, 3600.0)
        if not result.ok:
            self.emit(target.role, "Warning", "FailedPostStartHook", f"PostStartHook failed: {result.message}")
            self.verdicts.unhealthy(target.role.name, "startup")
        return result.ok

    async def _to_the_end(self, role: Role, running: Running) -> None:
        folder = self._hand.folders.attempt(role.name, self.facts(role.name).attempt)
        # Even the shortest run is shown as one.
        await self._worker.seen()
        end = await self.runtime().wait(running, folder)
        c = self.facts(role.name)
        probing = self._probing.pop(role.name, None)
        if probing is not None:
            probing.cancel()
        self.ended(role, c, end)

    def ended(self, role: Role, c: Container, end: Exit) -> None:
        folders = self._hand.folders
        files = folders.termination_log(role.name, c.attempt), folders.log(role.name, c.attempt)
        c.ended_at_s = self._kit.clock.monotonic_s()
        c.short_runs = restart.short_runs_after(c, c.ended_at_s)
        c.exit = with_message(end, role, *files)
        c.running, c.ready, c.started = None, False, False
        if self._kit.network.name != "loopback":
            return
        if found_its_port_taken(c.exit):
            self.emit(role, "Warning", "AddressInUse", SHARED.format(ip=self._worker.facts.ip))
        elif low := may_not_have_its_port(c.exit, spec.tcp_ports(role)):
            self.emit(role, "Warning", "PortNotAllowed", LOW.format(port=low))

    def emit(self, role: Role, type_: str, reason: str, message: str) -> None:
        self._hand.emit(type_, reason, message, role.field_path)

    def runtime(self) -> Runtime:
        return self._kit.runtime_of(self._hand.pod) or self._kit.runtimes[self._kit.runtime]

    def facts(self, name: str) -> Container:
        return self._worker.facts.of(name)
