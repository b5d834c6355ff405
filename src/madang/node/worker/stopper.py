"""Brings containers down, one step at a time as decided: preStop, stop signal, SIGKILL."""

from dataclasses import replace

from madang.node.pod import spec
from madang.node.pod.stopping import LEAST_AFTER_HOOK_S, pre_stop
from madang.node.runtimes.runtime import Running, SignalRefused
from madang.node.worker.launching import Launching
from madang.node.worker.termination import signal_number
from madang.node.worker.work import PodWork


class Stopper:
    def __init__(self, work: PodWork, launching: Launching) -> None:
        self._work, self._launching = work, launching

    def shorten(self, name: str, deadline_s: float) -> None:
        c = self._work.facts.of(name)
        assert c.stop is not None
        c.stop = replace(c.stop, deadline_s=deadline_s)

    def pre_stop(self, name: str) -> None:
        c = self._work.facts.of(name)
        assert c.stop is not None
        c.stop = replace(c.stop, hook="running")
        self._work.spawn(self._hook(name))

    def kill(self, name: str) -> None:
        c = self._work.facts.of(name)
        assert c.stop is not None and c.running is not None
        c.stop = replace(c.stop, killed=True)
        self._work.spawn(self._kill(name, c.running))

    async def _kill(self, name: str, running: Running) -> None:
        try:
            await self._work.runtime.kill(running)
        except SignalRefused as refused:
            self._refused(name, refused)

    def _refused(self, name: str, refused: SignalRefused) -> None:
        self._work.emit("Warning", "FailedKillPod", f"error killing pod: {refused}", spec.role(self._work.pod, name))

    async def _hook(self, name: str) -> None:
        c, kit = self._work.facts.of(name), self._work.kit
        target = await self._launching.target(name)
        stop, attempt = c.stop, c.attempt
        if target is None or stop is None:
            return
        hook = pre_stop(target.role)
        result = await kit.handler.ask(target, hook or {}, max(stop.deadline_s - kit.clock.monotonic_s(), 0.01))
        if not result.ok:
            self._work.emit("Warning", "FailedPreStopHook", f"PreStopHook failed: {result.message}", target.role)
        if c.stop is not None and c.attempt == attempt:  # else another one has begun meanwhile
            deadline_s = max(c.stop.deadline_s, kit.clock.monotonic_s() + LEAST_AFTER_HOOK_S)
            c.stop = replace(c.stop, hook="done", deadline_s=deadline_s)

    def signal(self, name: str) -> None:
        c = self._work.facts.of(name)
        assert c.stop is not None and c.running is not None
        c.stop = replace(c.stop, signalled=True)
        self._work.spawn(self._send(name, c.running))

    async def _send(self, name: str, running: Running) -> None:
        role = spec.role(self._work.pod, name)
        launch = await self._launching.again(role, self._work.facts.of(name).attempt)
        # To the program alone, as a container's first process gets it: it tells its children by itself.
        try:
            await self._work.runtime.signal(running, signal_number(launch.stop_signal), group=False)
        except SignalRefused as refused:  # SIGKILL is tried too, when the grace period is over
            self._refused(name, refused)
