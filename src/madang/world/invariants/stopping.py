"""Who is told to stop gets no more traffic: the way in has let go of it, and no slice says that it is ready.

In: pods that go, slices, stop signals. Out: breaches.
"""

from madang.node.pod.stopping import MOST_S
from madang.ports.journal import Row
from madang.ports.objects import Key, Obj
from madang.world.invariants.endpoints import SLICES
from madang.world.invariants.witness import Present, Witness, leaving
from madang.world.machine import Program
from madang.world.world import World


class Stopping(Witness):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._going: dict[str, tuple[float, float]] = {}  # by pod: since when it goes, and its grace period
        self._named: dict[Key, frozenset[str]] = {}  # by slice: the pods that it calls ready
        world.machine.told = self._told

    def committed(self, row: Row, old: Obj | None, new: Obj | None, present: Present) -> None:
        if row.key.kind == "pods" and new is not None and leaving(new):
            now, grace_s = self.world.clock.monotonic_s(), new["metadata"].get("deletionGracePeriodSeconds") or 0
            since, before_s = self._going.get(new["metadata"]["uid"], (now, grace_s))
            self._going[new["metadata"]["uid"]] = since, min(grace_s, before_s)
        elif row.key.kind == SLICES:
            self._named[row.key] = frozenset() if new is None else _ready(new)

    def _told(self, program: Program) -> None:
        """Who hangs or lies is not well, and is told to stop for that."""
        if self.world.machine.listens(program) and self.world.plan.calm:
            self._routed(program)
            self._put_off(program)

    def _routed(self, program: Program) -> None:
        """Whom nobody else can stand in for serves to its end, as with kube-proxy. No signal waits longer than MOST_S
        for a disk that takes no change of a slice."""
        attachment, disk = self.world.network.attached().get(program.pod), self.world.disk
        if (
            attachment is None
            or disk.full
            or disk.slow_s
            or self.world.clock.monotonic_s() - disk.well_since_s < MOST_S
        ):
            return
        for backend, servers in self.world.balancer.servers():
            serving = [s for s in servers if s.state == "ready"]
            if len(serving) > 1 and any(s.address == attachment.ip for s in serving):
                text = f"{program.launch.id} is told to stop while {backend} still leads to it"
                self.world.breach("an endpoint leaves rotation before its stop signal", text)

    def _put_off(self, program: Program) -> None:
        """Whatever the disk does: as long as it may, the signal waits for the slices."""
        since, grace_s = self._going.get(program.pod, (0.0, 0.0))
        waited = self.world.clock.monotonic_s() - since
        named = next((key.name for key, ready in self._named.items() if program.pod in ready), None)
        if named is not None and waited < min(MOST_S, grace_s / 2):
            text = f"{program.launch.id} is told to stop after {waited:.3f} s, and {named} still calls it ready"
            self.world.breach("a stop signal waits for the slices", text)


def _ready(found: Obj) -> frozenset[str]:
    pods = ((e.get("targetRef") or {}).get("uid") for e in found.get("endpoints") or () if e["conditions"].get("ready"))
    return frozenset(uid for uid in pods if uid)
