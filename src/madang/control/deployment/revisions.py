"""A Deployment's ReplicaSets as revisions: which is new, how a new one is made, which old ones are forgotten.

In: the Deployment and its ReplicaSets. Out: objects and patches (kubernetes deployment/util, sync.go).
"""

from collections.abc import Iterable, Mapping, Sequence

from madang.control.deployment import numbers
from madang.control.instant import seconds
from madang.control.naming import HASH_LABEL, same_template, template_hash
from madang.control.owners import controller_ref
from madang.control.pods import deleting
from madang.ports.actions import Delete
from madang.ports.objects import Obj

SETS = "replicasets.apps"
PREFIX = "deployment.kubernetes.io/"
REVISION, HISTORY = PREFIX + "revision", PREFIX + "revision-history"
DESIRED, MAX = PREFIX + "desired-replicas", PREFIX + "max-replicas"
NOT_COPIED = {
    "kubectl.kubernetes.io/last-applied-configuration",
    "deprecated.deployment.rollback.to",
    REVISION,
    HISTORY,
    DESIRED,
    MAX,
}


def annotations(obj: Obj) -> Mapping[str, str]:
    given: Mapping[str, str] = obj["metadata"].get("annotations") or {}
    return given


def revision(obj: Obj) -> int:
    text = annotations(obj).get(REVISION, "0")
    return int(text) if text.isdigit() else 0


def by_age(sets: Iterable[Obj]) -> list[Obj]:
    return sorted(sets, key=lambda rs: (seconds(rs["metadata"].get("creationTimestamp")), rs["metadata"]["name"]))


def split(d: Obj, sets: Sequence[Obj]) -> tuple[Obj | None, list[Obj]]:
    """(the ReplicaSet of the present template, all others)."""
    template = d["spec"]["template"]
    new = next((rs for rs in by_age(sets) if same_template(rs["spec"]["template"], template)), None)
    return new, [rs for rs in sets if rs is not new]


def sizes(d: Obj) -> dict[str, str]:
    return {DESIRED: str(numbers.replicas(d)), MAX: str(numbers.replicas(d) + numbers.max_surge(d))}


def wanted_annotations(d: Obj, rs: Obj | None, newest: int) -> dict[str, str]:
    """What the new ReplicaSet should be annotated with, being revision `newest`."""
    wanted = {k: v for k, v in annotations(d).items() if k not in NOT_COPIED}
    old = revision(rs) if rs is not None else 0
    if old >= newest:
        return wanted
    wanted[REVISION] = str(newest)
    if rs is not None and REVISION in annotations(rs):
        earlier = annotations(rs).get(HISTORY)
        wanted[HISTORY] = f"{earlier},{old}" if earlier else str(old)
    return wanted


def newest_revision(old: Iterable[Obj]) -> int:
    return max((revision(rs) for rs in old), default=0) + 1


def new_name(d: Obj) -> tuple[str, str]:
    """(name, hash) of the ReplicaSet of the present template."""
    collisions = (d.get("status") or {}).get("collisionCount")
    digest = template_hash(d["spec"]["template"], collisions)
    return f"{d['metadata']['name']}-{digest}", digest


def new_set(d: Obj, old: Sequence[Obj]) -> Obj:
    name, digest = new_name(d)
    template = d["spec"]["template"]
    labels = {**((template.get("metadata") or {}).get("labels") or {}), HASH_LABEL: digest}
    selector = d["spec"]["selector"]
    spec: Obj = {
        "replicas": numbers.new_set_size(d, old, 0),
        "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), HASH_LABEL: digest}},
        "template": {**template, "metadata": {**(template.get("metadata") or {}), "labels": labels}},
    }
    if d["spec"].get("minReadySeconds"):
        spec["minReadySeconds"] = d["spec"]["minReadySeconds"]
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": d["metadata"]["namespace"],
            "labels": labels,
            "annotations": {**wanted_annotations(d, None, newest_revision(old)), **sizes(d)},
            "ownerReferences": [controller_ref(d, "apps/v1", "Deployment")],
        },
        "spec": spec,
    }


def forgotten(d: Obj, old: Sequence[Obj]) -> list[Delete]:
    """Old revisions beyond the history limit that hold nothing any more."""
    limit = numbers.history_limit(d)
    if limit is None:
        return []
    kept = sorted((rs for rs in old if not deleting(rs)), key=lambda rs: (revision(rs), rs["metadata"]["name"]))
    return [
        Delete(SETS, rs["metadata"]["namespace"], rs["metadata"]["name"], uid=rs["metadata"]["uid"])
        for rs in kept[: max(0, len(kept) - limit)]
        if numbers.replicas(rs) == 0 and settled(rs)
    ]


def settled(rs: Obj) -> bool:
    status = rs.get("status") or {}
    return not status.get("replicas") and rs["metadata"].get("generation", 1) <= status.get("observedGeneration", 0)
