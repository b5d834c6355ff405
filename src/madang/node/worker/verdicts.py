"""Takes in what the probes of a pod say: into the facts, and failures that count into events."""

from madang.node.pod import spec
from madang.node.probes.tally import ProbeKind
from madang.node.worker.work import PodWork


class Verdicts:
    def __init__(self, work: PodWork) -> None:
        self._work = work

    def started(self, name: str) -> None:
        self._work.facts.of(name).started = True
        self._work.wake()

    def ready(self, name: str, ready: bool) -> None:
        c = self._work.facts.of(name)
        if ready and not c.ready:
            c.ready_since_s = self._work.kit.clock.monotonic_s()
        elif not ready:
            c.ready_since_s = None
        c.ready = ready
        self._work.wake()

    def unhealthy(self, name: str, probe: ProbeKind) -> None:
        self._work.facts.of(name).unhealthy = probe
        self._work.wake()

    def failed(self, name: str, message: str) -> None:
        if self._work.facts.of(name).stop is None:
            self._work.emit("Warning", "Unhealthy", message, spec.role(self._work.pod, name))
