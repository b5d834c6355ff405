"""No pod on two nodes; no node over its capacity; no pod waits for long where there is room."""

from collections import defaultdict

from madang.kinds.quantity import millis
from madang.ports.journal import Row
from madang.ports.objects import Obj
from madang.world.invariants.witness import Present, Witness, leaving, over
from madang.world.world import World

PATIENCE_S = 10.0


class Places(Witness):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._since: dict[str, float] = {}  # by pod: since when it could be placed

    def committed(self, row: Row, old: Obj | None, new: Obj | None, present: Present) -> None:
        if row.key.kind != "pods" or new is None:
            return
        node = new["spec"].get("nodeName")
        before = old["spec"].get("nodeName") if old is not None else None
        same = old is not None and old["metadata"]["uid"] == new["metadata"]["uid"]
        if same and before and before != node:
            self.world.breach("no pod on two nodes", f"{row.key.name} went from {before} to {node}")
        if node and (not before or not same):
            self._full(node, present)

    def restarted(self, present: Present) -> None:
        for node in {
            p["spec"]["nodeName"]: None for k, p in present.items() if k.kind == "pods" and p["spec"].get("nodeName")
        }:
            self._full(node, present)

    def polled(self, present: Present) -> None:
        """Nothing strikes any more: who is not bound has been seen to fit somewhere for so long only."""
        now = self.world.clock.monotonic_s()
        waits = [p for k, p in present.items() if k.kind == "pods" and not p["spec"].get("nodeName") and not leaving(p)]
        rooms = [self._room(k.name, o, present) for k, o in present.items() if k.kind == "nodes" and _open(o)]
        fitting = [p for p in waits if any(_fits(p, room) for room in rooms)]
        self._since = {p["metadata"]["uid"]: self._since.get(p["metadata"]["uid"], now) for p in fitting}
        for pod in fitting:
            waited = now - self._since[pod["metadata"]["uid"]]
            if waited > PATIENCE_S:
                text = f"{pod['metadata']['name']} waits for {waited:.0f} s, and there is room for it"
                self.world.breach("a pod is placed where there is room", text)

    def _room(self, name: str, node: Obj, present: Present) -> dict[str, int]:
        used = _used(name, present)
        return {k: millis(text) - used.get(k, 0) for k, text in node["status"]["allocatable"].items()}

    def _full(self, node: str, present: Present) -> None:
        found = next((o for k, o in present.items() if k.kind == "nodes" and k.name == node), None)
        if found is None:
            return
        for name, amount in _used(node, present).items():
            room = millis(found["status"]["allocatable"][name])
            if amount > room:
                self.world.breach(
                    "no node over its capacity", f"{node}: {amount} of {room} thousandths of {name} is asked for"
                )


def _open(node: Obj) -> bool:
    return not node["spec"].get("unschedulable") and not node["spec"].get("taints") and "allocatable" in node["status"]


def _fits(pod: Obj, room: dict[str, int]) -> bool:
    return all(amount <= room.get(name, 0) for name, amount in _asked(pod).items())


def _asked(pod: Obj) -> dict[str, int]:
    asked: dict[str, int] = defaultdict(int)
    for container in pod["spec"]["containers"]:
        for name, text in ((container.get("resources") or {}).get("requests") or {}).items():
            asked[name] += millis(text)
    return asked


def _used(node: str, present: Present) -> dict[str, int]:
    used: dict[str, int] = defaultdict(int)
    for key, pod in present.items():
        if key.kind == "pods" and pod["spec"].get("nodeName") == node and not over(pod):
            for name, amount in _asked(pod).items():
                used[name] += amount
    return used
