"""A Job has as many successes as pods of it have succeeded, never loses one, and makes no more pods than it needs."""

from madang.ports.journal import Row
from madang.ports.objects import Obj
from madang.world.invariants.witness import Present, Witness, leaving, over
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
        if row.key.kind == "pods" and old is None:
            for owner in new["metadata"].get("ownerReferences") or ():
                if owner["kind"] == "Job":
                    self._made(owner["name"], owner["uid"], present)

    def _made(self, name: str, uid: str, present: Present) -> None:
        job = next((o for k, o in present.items() if k.kind == "jobs.batch" and o["metadata"]["uid"] == uid), None)
        active = {
            pod["metadata"]["uid"]
            for key, pod in present.items()
            if key.kind == "pods" and not over(pod) and not leaving(pod)
            if any(owner["uid"] == uid for owner in pod["metadata"].get("ownerReferences") or ())
        }
        many, most = len(active | self._succeeded.get(uid, set())), job["spec"]["completions"] if job else None
        if most is not None and many > most:
            text = f"{name} has {many} pods that run or have succeeded, and needs {most}"
            self.world.breach("a Job makes no more pods than it needs", text)

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
