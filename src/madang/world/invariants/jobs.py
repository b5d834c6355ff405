"""A Job has as many successes as pods of it have succeeded, and never loses one."""

from madang.ports.journal import Row
from madang.ports.objects import Obj
from madang.world.invariants.witness import Present, Witness
from madang.world.world import World


class Jobs(Witness):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._succeeded: dict[str, set[str]] = {}
        self._counted: dict[str, int] = {}

    def committed(self, row: Row, old: Obj | None, new: Obj | None, present: Present) -> None:
        if new is None:
            return
        if row.key.kind == "pods" and (new.get("status") or {}).get("phase") == "Succeeded":
            for owner in new["metadata"].get("ownerReferences") or ():
                self._succeeded.setdefault(owner["uid"], set()).add(new["metadata"]["uid"])
        elif row.key.kind == "jobs.batch":
            self._job(row.key.name, new)

    def restarted(self, present: Present) -> None:
        for key, obj in present.items():
            if key.kind == "jobs.batch":
                self._job(key.name, obj)

    def _job(self, name: str, new: Obj) -> None:
        uid, count = new["metadata"]["uid"], (new.get("status") or {}).get("succeeded", 0)
        real = len(self._succeeded.get(uid, ()))
        if count > real:
            self.world.breach("a Job counts what succeeded", f"{name} counts {count} successes of {real}")
        if count < self._counted.get(uid, 0):
            self.world.breach("a Job counts what succeeded", f"{name} went back to {count}")
        self._counted[uid] = count
