"""An endpoint is ready before it gets traffic.

In: pods, slices, what the way in has become. Out: breaches.
"""

from madang.ports.journal import Row
from madang.ports.objects import Obj
from madang.world.invariants.witness import Present, Witness, ready
from madang.world.world import World

SLICES = "endpointslices.discovery.k8s.io"


class Endpoints(Witness):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._ready: set[str] = set()
        world.balancer.changed = self._routed

    def committed(self, row: Row, old: Obj | None, new: Obj | None, present: Present) -> None:
        if new is None:
            return
        if row.key.kind == "pods" and ready(new) and (old is None or not ready(old)):
            self._pod(new)
        elif row.key.kind == SLICES:
            self._slice(new)

    def restarted(self, present: Present) -> None:
        for key, obj in present.items():
            if key.kind == SLICES:
                self._slice(obj)
        self._routed()

    def _pod(self, pod: Obj) -> None:
        uid = pod["metadata"]["uid"]
        self._ready.add(uid)
        if not pod["spec"]["containers"][0].get("ports"):
            return
        machine, now = self.world.machine, self.world.clock.monotonic_s()
        programs = [p for p in machine.programs.values() if p.pod == uid]
        if programs and all(p.listens_s > now for p in programs):
            text = f"{pod['metadata']['name']} is said to be ready, and nothing listens there yet"
            self.world.breach("ready means that it listens", text)

    def _slice(self, found: Obj) -> None:
        for endpoint in found.get("endpoints") or ():
            target = endpoint.get("targetRef")
            if target and endpoint["conditions"].get("ready") and target["uid"] not in self._ready:
                text = f"{found['metadata']['name']} sends traffic to {target['name']}, which was never ready"
                self.world.breach("an endpoint is ready before it gets traffic", text)

    def _routed(self) -> None:
        pods = {a.ip: uid for uid, a in self.world.network.attached().items()}
        for backend, servers in self.world.balancer.servers():
            for server in servers:
                uid = pods.get(server.address)
                if uid is not None and server.state == "ready" and uid not in self._ready:
                    self.world.breach(
                        "an endpoint is ready before it gets traffic", f"{backend} leads to {server.name}, never ready"
                    )
