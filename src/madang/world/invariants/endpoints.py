"""An endpoint is ready before it gets traffic: its pod was, and the pod's program did listen."""

from madang.ports.journal import Row
from madang.ports.objects import Obj
from madang.world.invariants.witness import Present, Witness, ready

SLICES = "endpointslices.discovery.k8s.io"


class Endpoints(Witness):
    _ready: set[str]

    def committed(self, row: Row, old: Obj | None, new: Obj | None, present: Present) -> None:
        if new is None:
            return
        if row.key.kind == "pods" and ready(new) and (old is None or not ready(old)):
            self._pod(new)
        elif row.key.kind == SLICES:
            self._slice(new)

    def _pod(self, pod: Obj) -> None:
        uid = pod["metadata"]["uid"]
        self.__dict__.setdefault("_ready", set()).add(uid)
        if not pod["spec"]["containers"][0].get("ports"):
            return
        machine, now = self.world.machine, self.world.clock.monotonic_s()
        programs = [p for p in machine.programs.values() if p.pod == uid]
        if programs and all(p.listens_s > now for p in programs):
            text = f"{pod['metadata']['name']} is said to be ready, and nothing listens there yet"
            self.world.breach("ready means that it listens", text)

    def _slice(self, found: Obj) -> None:
        known = self.__dict__.setdefault("_ready", set())
        for endpoint in found.get("endpoints") or ():
            target = endpoint.get("targetRef")
            if target and endpoint["conditions"].get("ready") and target["uid"] not in known:
                text = f"{found['metadata']['name']} sends traffic to {target['name']}, which was never ready"
                self.world.breach("an endpoint is ready before it gets traffic", text)
