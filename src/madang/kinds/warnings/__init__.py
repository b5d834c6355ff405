"""What the API warns of beside a write that it takes: deprecated, ignored, surprising; one function a kind.

In: the new object and the old one (None on create). Out: texts for the Warning header, in the API's words and order.
"""

from collections.abc import Callable, Mapping, Sequence

from madang.kinds import names
from madang.kinds.warnings import ignored, pods, services
from madang.ports.objects import Kind, Obj

Warn = Callable[[Obj, Obj | None], Sequence[str]]


def _surprising_name(obj: Obj, place: str) -> list[str]:
    faults = names.dns_label(obj["metadata"].get("name", ""))
    if not faults:
        return []
    said = f"[{' '.join(faults)}]"
    return [
        f"metadata.name: this is used in {place}, which can result in surprising behavior; a DNS label is "
        f"recommended: {said}"
    ]


def _with_ignored(kind: Kind, warn: Warn) -> Warn:
    """What changed nothing is told once: on the creation, and when the spec changes."""

    def both(new: Obj, old: Obj | None) -> Sequence[str]:
        said = warn(new, old)
        if old is not None and new.get("spec") == old.get("spec"):
            return said
        return [*said, *ignored.of(kind, new)]

    return both


def _pod(new: Obj, old: Obj | None) -> Sequence[str]:
    """Of a creation only: people rarely change pods by hand."""
    if old is not None:
        return ()
    return [*_surprising_name(new, "the Pod's hostname"), *pods.of(new["spec"], new["metadata"])]


def _workload(new: Obj, old: Obj | None) -> Sequence[str]:
    """Of an update only where the spec changed."""
    if old is not None and new["metadata"].get("generation") == old["metadata"].get("generation"):
        return ()
    found = [] if old else _surprising_name(new, "Pod names and hostnames")
    template = new["spec"].get("template") or {}
    return [*found, *pods.of(template.get("spec") or {}, template.get("metadata") or {}, "spec.template.")]


def _node(new: Obj, _: Obj | None) -> Sequence[str]:
    spec = new["spec"]
    found = []
    if spec.get("configSource"):
        found.append("spec.configSource: the feature is removed")
    if spec.get("externalID"):
        found.append("spec.externalID: this field is deprecated, and is unused by Kubernetes")
    return found


def _endpoint_slice(new: Obj, old: Obj | None) -> Sequence[str]:
    named = old is None and new.get("addressType") == "FQDN"
    return ["spec.addressType: FQDN endpoints are deprecated"] if named else ()


def _endpoints(_: Obj, __: Obj | None) -> Sequence[str]:
    return ["v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"]


def _nothing(_: Obj, __: Obj | None) -> Sequence[str]:
    return ()


_OWN: Mapping[Kind, Warn] = {
    "deployments.apps": _workload,
    "endpoints": _endpoints,
    "endpointslices.discovery.k8s.io": _endpoint_slice,
    "jobs.batch": _workload,
    "nodes": _node,
    "pods": _pod,
    "replicasets.apps": _workload,
    "replicationcontrollers": _workload,
    "services": services.of,
}

WARNINGS: Mapping[Kind, Warn] = {
    **_OWN,
    **{kind: _with_ignored(kind, _OWN.get(kind, _nothing)) for kind in ignored.FIELDS},
}
