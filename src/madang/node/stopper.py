"""Brings containers down, one step at a time as decided: preStop, stop signal, SIGKILL."""

from typing import TYPE_CHECKING

from madang.node.kit import Kit
from madang.node.pod import spec
from madang.node.pod.stopping import LEAST_AFTER_HOOK_S, pre_stop
from madang.node.runtimes.runtime import Running
from madang.node.termination import signal_number

if TYPE_CHECKING:
    from madang.node.container import ContainerHand
    from madang.node.hand import Hand


class Stopper:
    def __init__(self, kit: Kit, hand: "Hand", containers: "ContainerHand") -> None:
        self._kit, self._hand, self._containers = kit, hand, containers

    def shorten(self, name: str, deadline_s: float) -> None:
        stop = self._containers.facts(name).stop
        assert stop is not None
        stop.deadline_s = deadline_s

    def pre_stop(self, name: str) -> None:
        stop = self._containers.facts(name).stop
        assert stop is not None
        stop.hook = "running"
        self._hand.spawn(self._hook(name))

    def kill(self, name: str) -> None:
        c = self._containers.facts(name)
        assert c.stop is not None and c.running is not None
        c.stop.killed = True
        self._hand.spawn(self._containers.runtime().kill(c.running))

    async def _hook(self, name: str) -> None:
        c = self._containers.facts(name)
        target = await self._containers.target(name)
        stop, clock = c.stop, self._kit.clock
        if target is None or stop is None:
            return
        hook = pre_stop(target.role)
        result = await self._kit.handler.ask(target, hook or {}, max(stop.deadline_s - clock.monotonic_s(), 0.01))
        if not result.ok:
            self._containers.emit(target.role, "Warning", "FailedPreStopHook", f"PreStopHook failed: {result.message}")
        stop.hook = "done"
        stop.deadline_s = max(stop.deadline_s, clock.monotonic_s() + LEAST_AFTER_HOOK_S)

    def signal(self, name: str) -> None:
        c = self._containers.facts(name)
        assert c.stop is not None and c.running is not None
        c.stop.signalled = True
        self._hand.spawn(self._send(name, c.running))

    async def _send(self, name: str, running: Running) -> None:
        role = spec.role(self._hand.pod, name)
        launch = await self._containers.launching.again(role, self._containers.facts(name).attempt)
        # To the program alone, as a container's first process gets it: it tells its children by itself.
        await self._containers.runtime().signal(running, signal_number(launch.stop_signal), group=False)
