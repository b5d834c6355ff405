"""Watches over one running container: its startup, readiness and liveness probes, or the opening of its port.

In: the container's probes. Out: calls of the listener; ends when cancelled. Without a readiness probe a container
that declares a TCP port is ready once one of its own processes listens there, else at once. One of which it is not
sure that it listens at all (annotation `madang.dev/listens: maybe`, any image's) is ready without it after a while.
"""

import asyncio
import math
from typing import Protocol

from madang.node.networks.network import Attachment, Network
from madang.node.pod import spec
from madang.node.pod.spec import Role
from madang.node.probes.handler import Handler, Target
from madang.node.probes.result import Result
from madang.node.probes.tally import EARLY_S, ProbeKind, Tally, terms
from madang.ports.clock import Clock
from madang.ports.objects import Obj

_LOOK_S = 2.0  # when to ask the network first what is wrong with a port that stays closed
_PATIENCE_S = 10.0  # how long a declared port may stay closed before an event says so
MAYBE_S = 5.0  # how long one is waited for that may never open
# A port that an image's container declares is a word to its readers, on a cluster: it is waited for, but not for ever.
DECLARED_S = 15.0


class Listener(Protocol):
    """Who hears the verdicts."""

    def started(self, name: str) -> None: ...

    def ready(self, name: str, ready: bool) -> None: ...

    def unhealthy(self, name: str, probe: ProbeKind) -> None: ...

    def failed(self, name: str, message: str) -> None:
        """A try that counted has failed: the text of the event `Unhealthy`."""
        ...


class Runner:
    def __init__(self, clock: Clock, handler: Handler, network: Network, listener: Listener) -> None:
        self._clock, self._handler, self._network, self._listener = clock, handler, network, listener

    async def run(
        self,
        target: Target,
        attachment: Attachment,
        *,
        started: bool,
        host_network: bool,
        patience_s: float = math.inf,
        ready: bool = False,
    ) -> None:
        """`started`: its startup probe has passed before (an adopted container), `ready`: it was ready then;
        `patience_s`: after which it is ready though its port is closed."""
        role = target.role
        if not started:
            if probe_of(role, "startup") and not await self._probe("startup", target, attachment):
                return
            self._listener.started(role.name)
        if role.kind == "init":
            return
        async with asyncio.TaskGroup() as group:
            if probe_of(role, "readiness"):
                group.create_task(self._probe("readiness", target, attachment))
            elif spec.tcp_ports(role) and not host_network and not ready:
                group.create_task(self._port(target, attachment, patience_s))
            else:
                self._listener.ready(role.name, True)
            if probe_of(role, "liveness"):
                group.create_task(self._probe("liveness", target, attachment))

    async def _probe(self, kind: ProbeKind, target: Target, attachment: Attachment) -> bool:
        """Ends with the verdict after which there is nothing more to ask; readiness goes on for ever."""
        probe = probe_of(target.role, kind)
        assert probe is not None
        tally = Tally(kind, terms(probe), self._clock.monotonic_s())
        if not tally.eager or tally.terms.delay_s:
            await self._clock.sleep(tally.due_s - self._clock.monotonic_s())
        while True:
            tried = self._clock.monotonic_s()
            counted = tally.counts(tried)
            if not counted and self._too_early(tally, target, attachment, probe):
                await self._clock.sleep(EARLY_S)
                continue
            result = await self._handler.ask(target, probe, tally.terms.timeout_s)
            if result.ok and kind != "liveness":
                result = self._own(target, attachment, probe)
            verdict = tally.take(result.ok, tried)
            if counted and not result.ok:
                self._listener.failed(target.role.name, f"{kind.capitalize()} probe failed: {result.message}")
            if verdict is not None and self._heard(kind, target.role, verdict):
                return verdict
            now = self._clock.monotonic_s()
            await self._clock.sleep(max(tally.next_s(now, now - tried) - now, 0.0))

    def _too_early(self, tally: Tally, target: Target, attachment: Attachment, probe: Obj) -> bool:
        """A command costs a process each time: as long as the container's port is closed, it is not tried early."""
        ports = spec.tcp_ports(target.role)
        return "exec" in probe and tally.eager and bool(ports) and not self._listens(target, attachment, ports)

    def _heard(self, kind: ProbeKind, role: Role, verdict: bool) -> bool:
        """Pass a verdict on. Whether this probe has nothing more to say."""
        if kind == "readiness":
            self._listener.ready(role.name, verdict)
            return False
        if not verdict:
            self._listener.unhealthy(role.name, kind)
        return not verdict or kind == "startup"

    def _own(self, target: Target, attachment: Attachment, probe: Obj) -> Result:
        """Where all pods share one port space, an answer counts only if it came from the pod's own processes."""
        what = probe.get("httpGet") or probe.get("tcpSocket") or probe.get("grpc")
        port = spec.port_number(target.role, what["port"]) if what and not what.get("host") else None
        if self._network.name != "loopback" or port is None or self._listens(target, attachment, [port]):
            return Result(True)
        why = self._why(target, attachment, [port])
        return Result(False, why or f"port {port} is answered by a process that is not this pod's")

    async def _port(self, target: Target, attachment: Attachment, patience_s: float) -> None:
        """Ready for good once a declared port is open: from then on only its exit takes the container out."""
        ports, began, told = spec.tcp_ports(target.role), self._clock.monotonic_s(), False
        tally = Tally("readiness", terms({}), began)
        while not self._listens(target, attachment, ports):
            now = self._clock.monotonic_s()
            if now - began > patience_s and not self._why(target, attachment, ports):
                break
            if not told and now - began > _LOOK_S:
                why = self._why(target, attachment, ports)
                if why or now - began > _PATIENCE_S:
                    told = True
                    shown = ", ".join(str(p) for p in ports)
                    text = why or "nothing listens there yet"
                    self._listener.failed(target.role.name, f"Declared port {shown}: {text}")
            tally.due_s = now + _PATIENCE_S
            await self._clock.sleep(max(tally.next_s(now, 0.0) - now, EARLY_S))
        self._listener.ready(target.role.name, True)
        if why := self._why(target, attachment, ports):
            self._listener.failed(target.role.name, f"Declared port {ports[0]}: {why}")

    def _listens(self, target: Target, attachment: Attachment, ports: list[int]) -> bool:
        pids = _pids(target)
        return any(self._network.listening(attachment, p, pids) for p in ports)

    def _why(self, target: Target, attachment: Attachment, ports: list[int]) -> str:
        pids = _pids(target)
        return next((why for p in ports if (why := self._network.explain(attachment, p, pids))), "")


def _pids(target: Target) -> tuple[int, ...]:
    sample = target.runtime.sample(target.running)
    return sample.pids if sample and sample.pids else (target.running.pid,)


def probe_of(role: Role, kind: str) -> Obj | None:
    """The probe, where there is one."""
    found: Obj | None = role.spec.get(f"{kind}Probe")
    return found or None


def at_once(role: Role, pod: Obj) -> bool:
    """Whether a container is ready as soon as it has started: nothing says otherwise."""
    host = bool(pod["spec"].get("hostNetwork"))
    return role.kind == "init" or (not probe_of(role, "readiness") and (host or not spec.tcp_ports(role)))
