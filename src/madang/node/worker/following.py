"""Follows running containers to their end, has their probes asked meanwhile, and tells how they ended.

In: a container that runs, begun or adopted. Out: its end and its readiness in the facts, events.
"""

import asyncio
import math

from madang.node.pod import restart, spec
from madang.node.pod.facts import Container
from madang.node.pod.spec import Role
from madang.node.probes.handler import Target
from madang.node.probes.runner import DECLARED_S, MAYBE_S, Runner
from madang.node.runtimes.runtime import Exit, Running
from madang.node.worker.launching import Launching
from madang.node.worker.sandbox import SandboxHand
from madang.node.worker.status_board import StatusBoard
from madang.node.worker.termination import found_its_port_taken, may_not_have_its_port, with_message
from madang.node.worker.verdicts import Verdicts
from madang.node.worker.work import PodWork

SHARED = (
    "its port is taken: on the loopback network all pods share this machine's ports, so a program must listen on "
    "$HOST:$PORT ({ip}), not on all addresses; the bridge network (as root) has no such limit"
)
LOW = (
    "port {port} is below 1024, and only root may open it here: give the program a higher one, or run as root (the "
    "bridge network)"
)


class Following:
    def __init__(self, work: PodWork, board: StatusBoard, sandbox: SandboxHand, launching: Launching) -> None:
        self._work, self._board, self._sandbox, self._launching = work, board, sandbox, launching
        kit = work.kit
        self._verdicts = Verdicts(work)
        self._runner = Runner(kit.clock, kit.handler, kit.network, self._verdicts)
        self._probing: dict[str, asyncio.Task[None]] = {}

    def watch(self, role: Role, running: Running, *, adopted: bool = False) -> None:
        """Follow a running container to its end, and ask its probes."""
        self._work.spawn(self._to_the_end(role, running))
        self._probing[role.name] = self._work.spawn(self._probe(role, running, adopted))

    def ended(self, role: Role, c: Container, end: Exit) -> None:
        folders, kit = self._work.folders, self._work.kit
        files = folders.termination_log(role.name, c.attempt), folders.log(role.name, c.attempt)
        c.ended_at_s = kit.clock.monotonic_s()
        c.short_runs = restart.short_runs_after(c, c.ended_at_s)
        c.exit = with_message(end, role, *files)
        c.running, c.ready, c.started = None, False, False
        if kit.network.name != "loopback":
            return
        if found_its_port_taken(c.exit):
            self._work.emit("Warning", "AddressInUse", SHARED.format(ip=self._work.facts.ip), role)
        elif low := may_not_have_its_port(c.exit, spec.tcp_ports(role)):
            self._work.emit("Warning", "PortNotAllowed", LOW.format(port=low), role)

    async def _probe(self, role: Role, running: Running, adopted: bool) -> None:
        c = self._work.facts.of(role.name)
        target = await self._launching.target(role.name)
        attachment = self._sandbox.attachment
        if target is None or attachment is None or c.running is not running:
            return
        if not adopted and not await self._post_start(target):
            return
        pod = self._work.pod
        host, ready = bool(pod["spec"].get("hostNetwork")), adopted and c.ready
        patience_s = DECLARED_S if self._work.chosen.in_container else math.inf
        if spec.maybe_listens(pod):
            patience_s = MAYBE_S
        await self._runner.run(
            target, attachment, started=c.started, ready=ready, host_network=host, patience_s=patience_s
        )

    async def _post_start(self, target: Target) -> bool:
        hook = (target.role.spec.get("lifecycle") or {}).get("postStart")
        if not hook:
            return True
        result = await self._work.kit.handler.ask(target, hook, 3600.0)
        if not result.ok:
            message = f"PostStartHook failed: {result.message}"
            self._work.emit("Warning", "FailedPostStartHook", message, target.role)
            self._verdicts.unhealthy(target.role.name, "startup")
        return result.ok

    async def _to_the_end(self, role: Role, running: Running) -> None:
        folder = self._work.folders.attempt(role.name, self._work.facts.of(role.name).attempt)
        # Even the shortest run is shown as one.
        await self._board.seen()
        end = await self._work.runtime.wait(running, folder)
        probing = self._probing.pop(role.name, None)
        if probing is not None:
            probing.cancel()
        self.ended(role, self._work.facts.of(role.name), end)
