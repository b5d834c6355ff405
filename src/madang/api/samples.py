"""PodMetrics and NodeMetrics: kinds that are served from the newest samples and stored nowhere.

In: the samples and the pods or nodes that stand in the store. Out: objects of metrics.k8s.io/v1beta1.
"""

from madang.api import errors
from madang.api.desk import Desk
from madang.api.resources import Resource
from madang.api.selection import selection
from madang.kinds.times import format_seconds
from madang.ports.api import ListOptions
from madang.ports.objects import Key, Obj
from madang.ports.streams import Usage


def sampled(desk: Desk, resource: Resource, namespace: str, name: str) -> Obj:
    pods = resource.row.kind == "PodMetrics"
    entry = desk.store.get(Key("pods", namespace, name) if pods else Key("nodes", "", name))
    found = _of(desk, resource, entry.obj) if entry is not None else None
    if found is None:
        raise errors.not_found(resource.row, f"{namespace}/{name}" if pods else name)
    return found


def sampled_all(desk: Desk, resource: Resource, namespace: str | None, options: ListOptions) -> list[Obj]:
    chosen = selection(resource, options.labels, options.fields)
    kind = "pods" if resource.row.kind == "PodMetrics" else "nodes"
    found = []
    for entry in desk.store.list(kind, namespace if kind == "pods" else None, terms=chosen.terms).entries:
        if chosen.holds(entry) and (one := _of(desk, resource, entry.obj)) is not None:
            found.append(one)
    return found


def _of(desk: Desk, resource: Resource, obj: Obj) -> Obj | None:
    if desk.samples is None:
        return None
    about = obj["metadata"]
    meta = {"name": about["name"], "creationTimestamp": format_seconds(desk.clock.now_s())}
    if about.get("labels"):
        meta["labels"] = about["labels"]
    head: Obj = {"kind": resource.row.kind, "apiVersion": resource.row.api_version, "metadata": meta}
    if resource.row.kind == "NodeMetrics":
        usage = desk.samples.node(about["name"])
        return None if usage is None else {**head, **_window(usage), "usage": _usage(usage)}
    meta["namespace"] = about["namespace"]
    pod = desk.samples.pod(about["namespace"], about["name"])
    if pod is None or not pod.containers:
        return None
    newest = max(pod.containers.values(), key=lambda usage: usage.at_s)
    containers = [{"name": name, "usage": _usage(usage)} for name, usage in sorted(pod.containers.items())]
    return {**head, **_window(newest), "containers": containers}


def _window(usage: Usage) -> Obj:
    return {"timestamp": format_seconds(usage.at_s), "window": f"{usage.window_s:.3f}".rstrip("0").rstrip(".") + "s"}


def _usage(usage: Usage) -> Obj:
    return {"cpu": f"{round(usage.cpu_cores * 1e9)}n", "memory": f"{-(-usage.memory_bytes // 1024)}Ki"}
