"""No pod on two nodes; no node over its capacity."""

from collections import defaultdict

from madang.kinds.quantity import millis
from madang.ports.journal import Row
from madang.ports.objects import Obj
from madang.world.invariants.witness import Present, Witness, over


class Places(Witness):
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

    def _full(self, node: str, present: Present) -> None:
        found = next((o for k, o in present.items() if k.kind == "nodes" and k.name == node), None)
        if found is None:
            return
        used: dict[str, int] = defaultdict(int)
        for key, pod in present.items():
            if key.kind == "pods" and pod["spec"].get("nodeName") == node and not over(pod):
                for container in pod["spec"]["containers"]:
                    for name, text in ((container.get("resources") or {}).get("requests") or {}).items():
                        used[name] += millis(text)
        for name, amount in used.items():
            room = millis(found["status"]["allocatable"][name])
            if amount > room:
                self.world.breach(
                    "no node over its capacity", f"{node}: {amount} of {room} thousandths of {name} is asked for"
                )
