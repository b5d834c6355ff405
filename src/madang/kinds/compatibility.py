"""What Madang speaks of the Kubernetes API, as rows for the generated docs/compatibility.md.

In: the kind table. Out: one line a kind and version, with its verbs and subresources, and what acts on it;
and the fields that are stored without effect.
"""

from typing import NamedTuple

from madang.kinds.kind import ALL_VERBS
from madang.kinds.table import REVIEWS, SERVED, Served
from madang.kinds.warnings import ignored

# What happens because such an object is there, by the kind's id.
ACTS = {
    "bindings": "binds a pod to a node",
    "configmaps": "environment and volumes of pods",
    "endpoints": "made from Services and pods; those written by hand become EndpointSlices",
    "events": "kept for an hour, merged",
    "namespaces": "furnished when made, emptied when deleted",
    "nodes": "pods are placed on it; cordon, drain, taints",
    "persistentvolumeclaims": "bound to a volume that fits, or to a folder that is made for it (class `standard`)",
    "persistentvolumes": "`hostPath` and `local`; protected while bound, reclaimed by `Retain` or `Delete`",
    "pods": "placed, run, probed, restarted, evicted",
    "podtemplates": "kept for whoever makes pods of it",
    "secrets": "environment and volumes of pods",
    "serviceaccounts": "tokens of pods and users",
    "services": "an address and a name, balanced; ports of this machine for NodePort and LoadBalancer",
    "deployments.apps": "rollouts, revisions, rollback, progress deadline",
    "replicasets.apps": "keeps the number of its pods",
    "replicationcontrollers": "keeps the number of its pods",
    "horizontalpodautoscalers.autoscaling": "follows CPU and memory (Resource metrics)",
    "jobs.batch": "runs pods to completion",
    "leases.coordination.k8s.io": "kept for whoever elects a leader",
    "endpointslices.discovery.k8s.io": "made from Services and pods; the gateway follows",
    "gatewayclasses.gateway.networking.k8s.io": "`madang` is accepted",
    "gateways.gateway.networking.k8s.io": "listeners of the front door",
    "httproutes.gateway.networking.k8s.io": "requests by host and path to Services",
    "nodes.metrics.k8s.io": "one-second samples",
    "pods.metrics.k8s.io": "one-second samples",
    "storageclasses.storage.k8s.io": "provisioner `madang.dev/local`: folders of the courtyard, whose size is no limit",
    "runtimeclasses.node.k8s.io": "chooses how a pod runs",
    "priorityclasses.scheduling.k8s.io": "order of placement, preemption",
}


class Line(NamedTuple):
    api_version: str
    kind: str
    resource: str
    verbs: tuple[str, ...]
    subresources: tuple[str, ...]
    acts: str


def lines() -> tuple[Line, ...]:
    """By group version, then by resource; the core group first."""
    found = [
        Line(
            served.api_version,
            served.kind.kind,
            served.kind.plural,
            tuple(sorted(served.kind.verbs)),
            tuple(sorted(sub.name for sub in served.kind.subresources)),
            _acts(served),
        )
        for served in (*SERVED, *REVIEWS)
    ]
    return tuple(sorted(found, key=lambda line: ("/" in line.api_version, line.api_version, line.resource)))


def _acts(served: Served) -> str:
    if served.conversion:
        return f"the same objects as {served.kind.api_version}"
    if served.kind.verbs == ("create",) and served.kind.id not in ACTS:
        return "answered at once, never stored"
    return ACTS[served.kind.id] if served.kind.acted else "stored only; each write says so"


def markdown() -> str:
    """The table of kinds as the document shows it."""
    rows = ["| API | kind | verbs | subresources | what it does |", "|---|---|---|---|---|"]
    for line in lines():
        verbs = "all" if set(line.verbs) == set(ALL_VERBS) else ", ".join(line.verbs)
        rows.append(f"| {line.api_version} | {line.kind} | {verbs} | {', '.join(line.subresources)} | {line.acts} |")
    return "\n".join(rows) + "\n"


def ignored_markdown() -> str:
    """The fields that are stored without effect; a template's are its pod's and not named again."""
    rows = ["| kind | field | in a container |", "|---|---|---|"]
    for kind, fields in ignored.FIELDS.items():
        own = [field for field in fields if ".template.spec." not in field.path]
        rows += [f"| {kind} | `{field.path}` | {'honoured' if field.contained else ''} |" for field in own]
    return "\n".join(rows) + "\n"
