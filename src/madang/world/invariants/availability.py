"""Where nothing strikes programs, nodes and pods: never fewer available, never more asked for, than the rollout allows.

What may be too many is counted as Kubernetes does: the sizes of a Deployment's ReplicaSets together, and the pods of
each against the largest size that it ever had (a pod too many may still wait to be deleted while a new one is made).
"""

from madang.ports.journal import Row
from madang.ports.objects import Obj
from madang.world.invariants.witness import Present, Witness, leaving, over, ready
from madang.world.manifests import NAMESPACE
from madang.world.world import World

SETS = "replicasets.apps"


def app_of(obj: Obj) -> str:
    return str((obj["metadata"].get("labels") or {}).get("app", ""))


class Availability(Witness):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._largest: dict[str, int] = {}  # by ReplicaSet

    def committed(self, row: Row, old: Obj | None, new: Obj | None, present: Present) -> None:
        if row.key.namespace != NAMESPACE or not self.world.plan.calm:
            return
        app = app_of(new or old or {"metadata": {}})
        if row.key.kind == SETS and new is not None:
            self._sizes(app, new, present)
        elif row.key.kind == "pods" and app in self.world.wanted:
            self._pods(app, new, present)

    def restarted(self, present: Present) -> None:
        if self.world.plan.calm:
            for app in self.world.wanted:
                self._pods(app, None, present)

    def _sizes(self, app: str, changed: Obj, present: Present) -> None:
        uid, size = changed["metadata"]["uid"], int(changed["spec"].get("replicas", 1))
        self._largest[uid] = max(size, self._largest.get(uid, 0))
        sets = [o for k, o in present.items() if k.kind == SETS and k.namespace == NAMESPACE and app_of(o) == app]
        total, wanted = sum(int(o["spec"].get("replicas", 1)) for o in sets), self.world.wanted.get(app)
        if wanted is not None and total > wanted.ceiling + 1:
            self.world.breach("surge", f"{app}: {total} pods are asked for, {wanted.ceiling} and 1 more may be")

    def _pods(self, app: str, new: Obj | None, present: Present) -> None:
        wanted = self.world.wanted[app]
        pods = [pod for key, pod in present.items() if key.kind == "pods" and app_of(pod) == app and not over(pod)]
        staying = [pod for pod in pods if not leaving(pod) and pod["metadata"]["namespace"] == NAMESPACE]
        available = sum(map(ready, staying))
        if available >= wanted.floor:
            wanted.stood = True
        least = wanted.floor - wanted.unavailable
        if wanted.stood and available < least:
            self.world.breach("availability", f"{app}: {available} are available, {least} must be")
        for owner in (new["metadata"].get("ownerReferences") or ()) if new is not None else ():
            mine = [p for p in staying if any(o["uid"] == owner["uid"] for o in p["metadata"]["ownerReferences"])]
            most = self._largest.get(owner["uid"])
            if most is not None and len(mine) > most:
                self.world.breach("a ReplicaSet keeps its size", f"{owner['name']} has {len(mine)} pods, never {most}")
