"""Where nothing strikes programs, nodes and pods: never fewer available, never more pods, than the rollout allows."""

from madang.ports.journal import Row
from madang.ports.objects import Obj
from madang.world.asks import NAMESPACE
from madang.world.invariants.witness import Present, Witness, leaving, over, ready


class Availability(Witness):
    def committed(self, row: Row, old: Obj | None, new: Obj | None, present: Present) -> None:
        if row.key.kind != "pods" or row.key.namespace != NAMESPACE or not self.world.plan.calm:
            return
        app = ((new or old or {})["metadata"].get("labels") or {}).get("app")
        wanted = self.world.wanted.get(app or "")
        if wanted is None:
            return
        mine = [
            pod
            for key, pod in present.items()
            if key.kind == "pods" and (pod["metadata"].get("labels") or {}).get("app") == app and not over(pod)
        ]
        staying = [pod for pod in mine if not leaving(pod)]
        available = sum(map(ready, staying))
        if available >= wanted.replicas:
            wanted.stood = True
        least = wanted.replicas - wanted.unavailable
        if wanted.stood and available < least:
            self.world.breach("availability", f"{app}: {available} are available, {least} must be")
        if len(staying) > wanted.replicas + 1:
            self.world.breach("surge", f"{app}: {len(staying)} pods of {wanted.replicas} and 1 more")
