"""What a write may change: the rules that Kubernetes' registry calls strategies.

In: the fresh object and, on an update, the stored one. Changed in place: a status is dropped on a create, kept from
the old object on a write of the spec, and the other way round on a write of the status; `metadata.generation` counts
changes of the spec. The object has its uid and name by then.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from madang.kinds import qos
from madang.kinds.defaults import custom
from madang.kinds.defaults.workloads import labels_from_template
from madang.kinds.schema import Node
from madang.kinds.subsets import repack
from madang.ports.objects import Obj

Create = Callable[[Obj], None]
Update = Callable[[Obj, Obj], None]
_JOB_NAME = ("batch.kubernetes.io/job-name", "job-name")
_CONTROLLER_UID = ("batch.kubernetes.io/controller-uid", "controller-uid")


def take(new: Obj, old: Obj, name: str) -> None:
    """The old object's part, as it was."""
    if name in old:
        new[name] = old[name]
    else:
        new.pop(name, None)


def keep_generation(new: Obj, old: Obj, changed: bool = False) -> None:
    generation = old["metadata"].get("generation", 0) + changed
    if generation:
        new["metadata"]["generation"] = generation
    else:
        new["metadata"].pop("generation", None)


def first_generation(obj: Obj) -> None:
    obj["metadata"]["generation"] = 1


def no_generation(obj: Obj) -> None:
    """Kinds that count no changes."""
    obj["metadata"].pop("generation", None)


def endpoints_create(obj: Obj) -> None:
    no_generation(obj)
    obj["subsets"] = repack(obj.get("subsets") or ())
    if not obj["subsets"]:
        del obj["subsets"]


def endpoints_update(new: Obj, old: Obj) -> None:
    endpoints_create(new)
    plain_update(new, old)


def keep_spec(new: Obj, old: Obj) -> None:
    """A write of the status."""
    take(new, old, "spec")
    keep_generation(new, old)


def plain_update(new: Obj, old: Obj) -> None:
    keep_generation(new, old)


def autoscaler_create(obj: Obj) -> None:
    no_generation(obj)
    obj["status"] = {"currentMetrics": None, "desiredReplicas": 0}


def keep_status(new: Obj, old: Obj) -> None:
    """A write of the object by a kind that counts no generations."""
    take(new, old, "status")
    keep_generation(new, old)


def counted_create(obj: Obj) -> None:
    obj["status"] = {}
    first_generation(obj)


def counted_update(new: Obj, old: Obj) -> None:
    take(new, old, "status")
    keep_generation(new, old, new.get("spec") != old.get("spec"))


def template_update(new: Obj, old: Obj) -> None:
    """A PodTemplate has neither spec nor status: its generation counts changes of the template."""
    keep_generation(new, old, new.get("template") != old.get("template"))


def replica_set_create(obj: Obj) -> None:
    counted_create(obj)
    obj["status"] = {"replicas": 0}


def deployment_update(new: Obj, old: Obj) -> None:
    """Annotations count too: they are copied to the replica sets."""
    take(new, old, "status")
    notes = (new["metadata"].get("annotations") or {}) != (old["metadata"].get("annotations") or {})
    keep_generation(new, old, notes or new.get("spec") != old.get("spec"))


def deployment_status(new: Obj, old: Obj) -> None:
    keep_spec(new, old)
    take(new["metadata"], old["metadata"], "labels")


def namespace_create(obj: Obj) -> None:
    no_generation(obj)
    obj["status"] = {"phase": "Active"}
    finalizers = obj["spec"].get("finalizers") or []
    if "kubernetes" not in finalizers:
        obj["spec"]["finalizers"] = [*finalizers, "kubernetes"]


def namespace_update(new: Obj, old: Obj) -> None:
    keep_status(new, old)
    take(new["spec"], old.get("spec") or {}, "finalizers")


def namespace_finalize(new: Obj, old: Obj) -> None:
    """A write of the `finalize` subresource: only there may `spec.finalizers` change."""
    keep_status(new, old)


def node_create(obj: Obj) -> None:
    no_generation(obj)


def pod_create(obj: Obj) -> None:
    first_generation(obj)
    spec = obj["spec"]
    obj["status"] = {"phase": "Pending", "qosClass": qos.of(spec)}
    if spec.get("schedulingGates"):
        obj["status"]["conditions"] = [{
            "type": "PodScheduled", "status": "False", "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates",
            "lastProbeTime": None, "lastTransitionTime": obj["metadata"].get("creationTimestamp"),
        }]  # fmt: skip
    labels = obj["metadata"].get("labels") or {}
    affinity = spec.get("affinity") or {}
    for side in ("podAffinity", "podAntiAffinity"):
        found = affinity.get(side) or {}
        for preferred in found.get("preferredDuringSchedulingIgnoredDuringExecution") or ():
            _label_keys(preferred["podAffinityTerm"], labels)
        for term in found.get("requiredDuringSchedulingIgnoredDuringExecution") or ():
            _label_keys(term, labels)
    for constraint in spec.get("topologySpreadConstraints") or ():
        _label_keys(constraint, labels)


def _label_keys(term: Obj, labels: Mapping[str, str]) -> None:
    """`matchLabelKeys` become requirements of the selector, by the pod's own labels."""
    selector = term.get("labelSelector")
    if selector is None:
        return
    for keys, operator in (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn")):
        for key in term.get(keys) or ():
            if key in labels:
                asked = {"key": key, "operator": operator, "values": [labels[key]]}
                selector["matchExpressions"] = [*(selector.get("matchExpressions") or ()), asked]


def pod_status(new: Obj, old: Obj) -> None:
    take(new, old, "spec")
    keep_generation(new, old)
    take(new["metadata"], old["metadata"], "ownerReferences")
    take(new["metadata"], old["metadata"], "deletionTimestamp")
    status, before = new["status"], old.get("status") or {}
    if not status.get("qosClass"):
        take(status, before, "qosClass")
    if not status.get("observedGeneration"):
        take(status, before, "observedGeneration")
    seen: dict[str, list[int]] = {}
    for condition in before.get("conditions") or ():
        seen.setdefault(condition.get("type", ""), []).append(condition.get("observedGeneration", 0))
    for condition in status.get("conditions") or ():
        generations = seen.get(condition.get("type", ""))
        generation = generations.pop(0) if generations else 0
        if not condition.get("observedGeneration") and generation:
            condition["observedGeneration"] = generation


def job_create(obj: Obj) -> None:
    spec, meta = obj["spec"], obj["metadata"]
    if not spec.get("manualSelector"):
        template_meta = spec["template"].setdefault("metadata", {})
        labels = template_meta["labels"] = dict(template_meta.get("labels") or {})
        for key in _JOB_NAME:
            labels.setdefault(key, meta.get("name", ""))
        for key in _CONTROLLER_UID:
            labels.setdefault(key, meta.get("uid", ""))
        selector = spec.setdefault("selector", {})
        selector["matchLabels"] = {_CONTROLLER_UID[0]: meta.get("uid", ""), **(selector.get("matchLabels") or {})}
    counted_create(obj)
    labels_from_template(obj)


def service_create(obj: Obj) -> None:
    no_generation(obj)
    obj["status"] = {"loadBalancer": {}}


def service_update(new: Obj, old: Obj) -> None:
    """What a service's type no longer uses, and the user left as it was, goes."""
    keep_status(new, old)
    spec, before = new["spec"], old["spec"]
    if before.get("type") != "ExternalName" and spec.get("type") == "ExternalName":
        _wipe_same(spec, before, "clusterIP", "clusterIPs")
        _wipe_same(spec, before, "ipFamilies")
        _wipe_same(spec, before, "ipFamilyPolicy")
    if _node_ports(before) and not _node_ports(spec) and _ports_of(spec) == _ports_of(before):
        for port in spec.get("ports") or ():
            port.pop("nodePort", None)
    if _health_port(before) and not _health_port(spec):
        _wipe_same(spec, before, "healthCheckNodePort")
    if before.get("type") == "LoadBalancer" and spec.get("type") != "LoadBalancer":
        _wipe_same(spec, before, "allocateLoadBalancerNodePorts")
        _wipe_same(spec, before, "loadBalancerClass")
    if _outside(before) and not _outside(spec):
        _wipe_same(spec, before, "externalTrafficPolicy")
    if spec.get("type") != "LoadBalancer":
        new["status"] = {**(new.get("status") or {}), "loadBalancer": {}}


def _wipe_same(spec: Obj, before: Obj, *names: str) -> None:
    if all(spec.get(name) == before.get(name) for name in names):
        for name in names:
            spec.pop(name, None)


def _node_ports(spec: Obj) -> bool:
    balanced = spec.get("type") == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts", True)
    return spec.get("type") == "NodePort" or bool(balanced)


def _health_port(spec: Obj) -> bool:
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def _outside(spec: Obj) -> bool:
    return spec.get("type") in ("NodePort", "LoadBalancer") or bool(
        spec.get("type") == "ClusterIP" and spec.get("externalIPs")
    )


def _ports_of(spec: Obj) -> Sequence[Any]:
    return [port.get("nodePort") for port in spec.get("ports") or ()]


def secret_update(new: Obj, old: Obj) -> None:
    keep_generation(new, old)
    if not new.get("type"):
        take(new, old, "type")


def claim_create(obj: Obj) -> None:
    """What a claim got is said by who binds it; a dataSource and its newer name say the same."""
    no_generation(obj)
    obj["status"] = {"phase": "Pending"}
    spec = obj["spec"]
    if spec.get("dataSource") and not spec.get("dataSourceRef"):
        spec["dataSourceRef"] = dict(spec["dataSource"])
    elif spec.get("dataSourceRef") and not spec.get("dataSource") and "namespace" not in spec["dataSourceRef"]:
        spec["dataSource"] = dict(spec["dataSourceRef"])


def volume_create(obj: Obj) -> None:
    no_generation(obj)
    obj["status"] = {"phase": "Pending", "lastPhaseTransitionTime": obj["metadata"].get("creationTimestamp")}


def volume_status(new: Obj, old: Obj) -> None:
    """Who writes another phase says since when; one that doesn't is given the old hour."""
    keep_spec(new, old)
    status, before = new.setdefault("status", {}), old.get("status") or {}
    if not status.get("lastPhaseTransitionTime") and before.get("lastPhaseTransitionTime"):
        status["lastPhaseTransitionTime"] = before["lastPhaseTransitionTime"]


def account_write(obj: Obj, _: Obj | None = None) -> None:
    """Of a secret's reference only the name counts."""
    no_generation(obj)
    if obj.get("secrets"):
        obj["secrets"] = [{"name": ref["name"]} if ref.get("name") else {} for ref in obj["secrets"]]


def slice_update(new: Obj, old: Obj) -> None:
    """All but the metadata is spec; labels count too."""
    changed = _without_meta(new) != _without_meta(old)
    labels = (new["metadata"].get("labels") or {}) != (old["metadata"].get("labels") or {})
    keep_generation(new, old, changed or labels)


def _without_meta(obj: Obj) -> Obj:
    return {key: value for key, value in obj.items() if key not in ("metadata", "apiVersion", "kind")}


def custom_create(shape: Callable[[], Node]) -> Create:
    """A custom resource with a status subresource: its status begins as the schema says."""

    def create(obj: Obj) -> None:
        obj.pop("status", None)
        first_generation(obj)
        custom.fill(shape(), obj)

    return create


def custom_update(new: Obj, old: Obj) -> None:
    take(new, old, "status")
    now, before = _without_meta(new), _without_meta(old)
    keep_generation(new, old, now != before)


def custom_status(new: Obj, old: Obj) -> None:
    """Only the status is written; of the metadata nothing but managedFields."""
    status = new.get("status")
    fields = new["metadata"].get("managedFields")
    version = new["metadata"].get("resourceVersion")
    for name in [key for key in new if key not in ("apiVersion", "kind")]:
        new.pop(name)
    new.update({key: value for key, value in old.items() if key not in ("apiVersion", "kind", "status")})
    new["metadata"] = dict(old["metadata"])
    for name, value in (("managedFields", fields), ("resourceVersion", version)):
        if value is not None:
            new["metadata"][name] = value
    if status is not None:
        new["status"] = status
