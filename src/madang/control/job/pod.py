"""A Job's next pod, made from its template; of an Indexed Job with its index.

In: the Job. Out: a Pod that the tracking finalizer holds until it is counted.
"""

from madang.control.job.count import FINALIZER
from madang.control.job.indexes import INDEX
from madang.control.naming import free_name
from madang.control.owners import controller_ref
from madang.control.pods import PODS
from madang.ports.chance import Chance
from madang.ports.objects import Obj
from madang.ports.view import View

ENV = "JOB_COMPLETION_INDEX"


def new_pod(job: Obj, index: int | None, taken: set[str], view: View, chance: Chance) -> Obj:
    template, meta = job["spec"]["template"], job["metadata"]
    given = template.get("metadata") or {}
    prefix = f"{meta['name']}-" if index is None else f"{meta['name'][:40]}-{index}-"
    metadata: Obj = {key: given[key] for key in ("labels", "annotations") if given.get(key)}
    metadata |= {
        "generateName": prefix,
        "name": free_name(PODS, meta["namespace"], prefix, view, chance, taken),
        "namespace": meta["namespace"],
        "finalizers": [*(given.get("finalizers") or ()), FINALIZER],
        "ownerReferences": [controller_ref(job, "batch/v1", "Job")],
    }
    spec = template["spec"]
    if index is not None:
        for field in ("labels", "annotations"):
            metadata[field] = {**metadata.get(field, {}), INDEX: str(index)}
        spec = with_index(spec, prefix.rstrip("-"))
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def with_index(spec: Obj, hostname: str) -> Obj:
    told = {"name": ENV, "valueFrom": {"fieldRef": {"fieldPath": f"metadata.labels['{INDEX}']"}}}

    def containers(field: str) -> list[Obj]:
        return [
            c if any(e["name"] == ENV for e in c.get("env") or ()) else {**c, "env": [*(c.get("env") or ()), told]}
            for c in spec.get(field) or ()
        ]

    lists = {field: found for field in ("containers", "initContainers") if (found := containers(field))}
    return {**spec, **lists, "hostname": spec.get("hostname") or hostname}
