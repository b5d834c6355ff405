"""Takes in what the probes of a pod say: into the facts, and failures that count into events."""

from typing import TYPE_CHECKING

from madang.node.kit import Kit
from madang.node.pod import spec
from madang.node.probes.tally import ProbeKind

if TYPE_CHECKING:
    from madang.node.hand import Hand
    from madang.node.worker import PodWorker


class Verdicts:
    def __init__(self, kit: Kit, worker: "PodWorker", hand: "Hand") -> None:
        self._kit, self._worker, self._hand = kit, worker, hand

    def started(self, name: str) -> None:
        self._worker.facts.of(name).started = True
        self._worker.wake()

    def ready(self, name: str, ready: bool) -> None:
        c = self._worker.facts.of(name)
        if ready and not c.ready:
            c.ready_since_s = self._kit.clock.monotonic_s()
        elif not ready:
            c.ready_since_s = None
        c.ready = ready
        self._worker.wake()

    def unhealthy(self, name: str, probe: ProbeKind) -> None:
        self._worker.facts.of(name).unhealthy = probe
        self._worker.wake()

    def failed(self, name: str, message: str) -> None:
        if self._worker.facts.of(name).stop is None:
            self._hand.emit("Warning", "Unhealthy", message, spec.role(self._hand.pod, name).field_path)
