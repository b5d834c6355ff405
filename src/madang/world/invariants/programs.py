"""A container never runs twice at once; a program runs only for a pod that was bound; the pod goes after it."""

from madang.ports.journal import Row
from madang.ports.objects import Key, Obj
from madang.ports.settings import BROKEN
from madang.world.invariants.witness import Present, Witness
from madang.world.machine import Program
from madang.world.world import World

OVERDUE_S = 4.0  # a removed pod gets two seconds


class Programs(Witness):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._bound: set[str] = set()
        self._orphans: dict[str, tuple[float, int, str]] = {}  # by pod: since when it is gone, in which life, its node
        world.machine.started = self.started

    def started(self, program: Program) -> None:
        twins = [p for p in self.world.machine.alive if p.container == program.container and p is not program]
        if twins:
            text = f"{program.launch.id} was started while {twins[0].launch.id} runs"
            self.world.breach("a container never runs twice at once", text)
        if program.pod not in self._bound:
            self.world.breach("programs run for bound pods", f"{program.launch.id} runs for a pod that is not bound")

    def committed(self, row: Row, old: Obj | None, new: Obj | None, present: Present) -> None:
        self._overdue(present)
        if row.key.kind != "pods":
            return
        if new is None and old is not None:
            node = old["spec"].get("nodeName") or ""
            self._orphans[old["metadata"]["uid"]] = self.world.clock.monotonic_s(), self.world.lives, node
        if new is not None and new["spec"].get("nodeName"):
            self._bound.add(new["metadata"]["uid"])
        elif new is None and old is not None and self.world.plan.calm:  # else somebody may have forced it
            left = [p.launch.id for p in self.world.machine.alive if p.pod == old["metadata"]["uid"]]
            if left:
                self.world.breach("a pod goes after its programs", f"{row.key.name} is gone, and {left[0]} runs")

    def restarted(self, present: Present) -> None:
        """What runs while nobody watches: one program a container, for pods that were bound."""
        seen: set[tuple[str, str]] = set()
        for program in self.world.machine.alive:
            if program.container in seen:
                self.world.breach("a container never runs twice at once", f"{program.launch.id} runs beside another")
            seen.add(program.container)
            if program.pod not in self._bound:
                self.world.breach("programs run for bound pods", f"{program.launch.id} runs for a pod never bound")

    def _overdue(self, present: Present) -> None:
        """What runs for a pod that is gone is ended within seconds, once its node works, by whoever saw it go."""
        if not self._orphans:
            return
        now, alive = self.world.clock.monotonic_s(), {p.pod for p in self.world.machine.alive}
        for uid, (since, life, node) in list(self._orphans.items()):
            if uid not in alive or life != self.world.lives:
                del self._orphans[uid]
            elif not works(present.get(Key("nodes", "", node))):
                self._orphans[uid] = now, life, node
            elif now - since > OVERDUE_S:
                self.world.breach("a program goes with its pod", f"pod {uid} is gone for {now - since:.1f} s, and runs")


def works(node: Obj | None) -> bool:
    return node is not None and BROKEN not in (node["metadata"].get("annotations") or {})
