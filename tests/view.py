"""A make-believe committed state for tests of decisions: objects in a dict, a View over it, and a hand that
carries actions out as the API would, one by one, so that a test can stop anywhere.

In: objects and actions. Out: the objects as they stand, and the events that were told.
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from madang.control.instant import stamp
from madang.ports.actions import Action, Bind, Create, Delete, Emit, Patch, Replace, Wake
from madang.ports.chance import SystemChance
from madang.ports.objects import Kind, Obj

CLUSTER_WIDE = {
    "nodes", "namespaces", "priorityclasses.scheduling.k8s.io", "persistentvolumes", "storageclasses.storage.k8s.io",
}  # fmt: skip


def merged(old: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    new = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            new.pop(key, None)
        else:
            new[key] = merged(new.get(key), value)
    return new


class House:
    """`now` is what the tests set it to."""

    def __init__(self, seed: int = 1) -> None:
        self.now = 1_700_000_000.0
        self.chance = SystemChance(seed)
        self.objects: dict[tuple[Kind, str, str], Obj] = {}
        self.events: list[Emit] = []
        self.wakes: list[float] = []
        self.revision = 0

    def get(self, kind: Kind, namespace: str, name: str) -> Obj | None:
        return self.objects.get((kind, namespace, name))

    def list(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        owner: str | None = None,
        node: str | None = None,
    ) -> Sequence[Obj]:
        return [
            obj
            for (k, ns, _), obj in sorted(self.objects.items(), key=lambda item: item[0])
            if k == kind
            and namespace in (None, ns)
            and (not labels or labels.items() <= (obj["metadata"].get("labels") or {}).items())
            and (owner is None or owner in {r["uid"] for r in obj["metadata"].get("ownerReferences") or ()})
            and (node is None or obj["spec"].get("nodeName", "") == node)
        ]

    def add(self, kind: Kind, obj: Obj) -> Obj:
        obj = copy.deepcopy(obj)
        meta = obj.setdefault("metadata", {})
        if kind not in CLUSTER_WIDE:
            meta.setdefault("namespace", "default")
        meta.setdefault("uid", self.chance.uid())
        meta.setdefault("creationTimestamp", stamp(self.now))
        meta.setdefault("generation", 1)
        if kind == "pods":
            obj.setdefault("status", {"phase": "Pending"})
        return self.put(kind, obj)

    def put(self, kind: Kind, obj: Obj) -> Obj:
        self.revision += 1
        obj["metadata"]["resourceVersion"] = str(self.revision)
        self.objects[(kind, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])] = obj
        return obj

    def change(self, kind: Kind, namespace: str, name: str, patch: Obj) -> Obj:
        """What a user or another room writes: a merge patch on all of the object."""
        old = self.objects[(kind, namespace, name)]
        new = merged(old, patch)
        new["metadata"] = dict(new["metadata"])
        if new.get("spec") != old.get("spec") and kind != "pods":
            new["metadata"]["generation"] = old["metadata"].get("generation", 1) + 1
        self.put(kind, new)
        if "deletionTimestamp" in new["metadata"] and not new["metadata"].get("finalizers") and kind != "pods":
            self.remove(kind, namespace, name)
        return new

    def remove(self, kind: Kind, namespace: str, name: str) -> None:
        self.objects.pop((kind, namespace, name), None)

    def delete(self, kind: Kind, namespace: str, name: str) -> None:
        """A bound pod and what has finalizers only begin to go."""
        obj = self.objects.get((kind, namespace, name))
        if obj is None:
            return
        bound = kind == "pods" and obj["spec"].get("nodeName") and obj["status"]["phase"] not in ("Succeeded", "Failed")
        if bound or obj["metadata"].get("finalizers"):
            if "deletionTimestamp" not in obj["metadata"]:
                self.change(kind, namespace, name, {"metadata": {"deletionTimestamp": stamp(self.now)}})
        else:
            self.remove(kind, namespace, name)

    def carry_out(self, actions: Iterable[Action]) -> None:
        for action in actions:
            self.carry_out_one(action)

    def carry_out_one(self, action: Action) -> None:
        match action:
            case Create(kind, obj, then):
                key = (kind, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
                if key not in self.objects:
                    self.add(kind, obj)
                self.events += then
            case Patch(kind, namespace, name, patch):
                old = self.objects.get((kind, namespace, name))
                stale = old is None or (action.uid not in (None, old["metadata"]["uid"]))
                if not stale and action.revision in (None, old["metadata"]["resourceVersion"]):  # type: ignore[index]
                    self.change(kind, namespace, name, patch)
            case Replace(kind, obj):
                if (
                    old := self.objects.get((kind, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]))
                ) and (old["metadata"]["resourceVersion"] == obj["metadata"].get("resourceVersion")):
                    self.put(kind, copy.deepcopy(obj))
            case Delete(kind, namespace, name):
                old = self.objects.get((kind, namespace, name))
                if old is not None and action.uid in (None, old["metadata"]["uid"]):
                    self.delete(kind, namespace, name)
                    self.events += action.then
            case Bind(namespace, name, _, node):
                scheduled = {"conditions": [{"type": "PodScheduled", "status": "True"}]}
                self.change("pods", namespace, name, {"spec": {"nodeName": node}, "status": scheduled})
            case Emit():
                self.events.append(action)
            case Wake(after_s):
                self.wakes.append(after_s)

    def told(self, reason: str = "") -> Sequence[str]:
        return [f"{e.type} {e.reason} {e.message}" for e in self.events if reason in ("", e.reason)]

    def start(self, name: str, *, ready: bool = True, namespace: str = "default", ip: str = "10.0.0.9") -> None:
        """What a node does to a pod that it runs."""
        self.change(
            "pods",
            namespace,
            name,
            {
                "spec": {"nodeName": "node-1"},
                "status": {
                    "phase": "Running",
                    "podIP": ip,
                    "podIPs": [{"ip": ip}],
                    "conditions": [
                        {"type": "Ready", "status": str(ready), "lastTransitionTime": stamp(self.now)},
                        {"type": "PodScheduled", "status": "True"},
                    ],
                },
            },
        )

    def finish(self, name: str, phase: str, *, namespace: str = "default") -> None:
        """The pod's program ended."""
        condition = {"type": "Ready", "status": "False", "lastTransitionTime": stamp(self.now)}
        self.change("pods", namespace, name, {"spec": {"nodeName": "node-1"},
                                              "status": {"phase": phase, "conditions": [condition]}})  # fmt: skip
