"""An endpoint is ready before it gets traffic, and gets no more of it before it is told to stop.

In: pods, slices, what the way in has become, stop signals. Out: breaches.
"""

from madang.node.pod.stopping import MOST_S
from madang.ports.journal import Row
from madang.ports.objects import Obj
from madang.world.invariants.witness import Present, Witness, ready
from madang.world.machine import Program
from madang.world.world import World

SLICES = "endpointslices.discovery.k8s.io"


class Endpoints(Witness):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._ready: set[str] = set()
        world.balancer.changed = self._routed
        world.machine.told = self._told

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

    def _told(self, program: Program) -> None:
        """Whom nobody else can stand in for serves to its end, as with kube-proxy; who hangs or lies is not well. No
        signal waits longer than MOST_S for a disk that takes no change of a slice."""
        attachment = self.world.network.attached().get(program.pod)
        if attachment is None or not self.world.machine.listens(program) or not self.world.plan.calm:
            return
        disk = self.world.disk
        if disk.full or disk.slow_s or self.world.clock.monotonic_s() - disk.well_since_s < MOST_S:
            return
        for backend, servers in self.world.balancer.servers():
            serving = [s for s in servers if s.state == "ready"]
            if len(serving) > 1 and any(s.address == attachment.ip for s in serving):
                text = f"{program.launch.id} is told to stop while {backend} still leads to it"
                self.world.breach("an endpoint leaves rotation before its stop signal", text)
