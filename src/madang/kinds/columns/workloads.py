"""How workloads are printed: deployments, replica sets, jobs, autoscalers.

In: the object and the hour. Out: cells as the API server prints them.
"""

from typing import Any

from madang.kinds import ages, times
from madang.kinds.columns.cells import (
    AGE,
    CONTAINERS,
    IMAGES,
    NAME,
    at,
    column,
    first_few,
    labels_text,
    selector_or_none,
    selector_text,
    timed,
)  # fmt: skip
from madang.kinds.kind import Column
from madang.ports.objects import Obj

_JOB_WORDS = ("FailureTarget", "SuccessCriteriaMet")  # conditions that are shown by their own name, in this order


def _count(name: str, description: str, *path: str) -> Column:
    return column(name, "integer", description, lambda obj: at(obj, *path, default=0))


def _selector(description: str) -> Column:
    def read(obj: Obj) -> str:
        return selector_or_none(at(obj, "spec", "selector", default=None))

    return column("Selector", "string", description, read, wide=True)


def _ready(obj: Obj) -> str:
    return f"{at(obj, 'status', 'readyReplicas', default=0)}/{at(obj, 'spec', 'replicas', default=0)}"


DEPLOYMENT = (
    NAME,
    column("Ready", "string", "Number of the pod with ready state", _ready),
    column(
        "Up-to-date", "string", "apps.v1.DeploymentStatus.updatedReplicas",
        lambda o: at(o, "status", "updatedReplicas", default=0),
    ),
    column(
        "Available", "string", "apps.v1.DeploymentStatus.availableReplicas",
        lambda o: at(o, "status", "availableReplicas", default=0),
    ),
    AGE, CONTAINERS, IMAGES,
    column(
        "Selector", "string", "apps.v1.DeploymentSpec.selector",
        lambda o: selector_text(at(o, "spec", "selector", default=None)), wide=True,
    ),
)  # fmt: skip
SCALE = (
    NAME,
    _count("Desired", "autoscaling.v1.ScaleSpec.replicas", "spec", "replicas"),
    _count("Available", "autoscaling.v1.ScaleStatus.replicas", "status", "replicas"),
    AGE,
)
REPLICATION_CONTROLLER = (
    NAME,
    _count("Desired", "core.v1.ReplicationControllerSpec.replicas", "spec", "replicas"),
    _count("Current", "core.v1.ReplicationControllerStatus.replicas", "status", "replicas"),
    _count("Ready", "core.v1.ReplicationControllerStatus.readyReplicas", "status", "readyReplicas"),
    AGE, CONTAINERS, IMAGES,
    column(
        "Selector", "string", "core.v1.ReplicationControllerSpec.selector",
        lambda o: labels_text(at(o, "spec", "selector", default=None)), wide=True,
    ),
)  # fmt: skip
REPLICA_SET = (
    NAME,
    _count("Desired", "apps.v1.ReplicaSetSpec.replicas", "spec", "replicas"),
    _count("Current", "apps.v1.ReplicaSetStatus.replicas", "status", "replicas"),
    _count("Ready", "apps.v1.ReplicaSetStatus.readyReplicas", "status", "readyReplicas"),
    AGE, CONTAINERS, IMAGES, _selector("apps.v1.ReplicaSetSpec.selector"),
)  # fmt: skip


def job_status(job: Obj) -> str:
    true = {c.get("type") for c in at(job, "status", "conditions", default=()) if c.get("status") == "True"}
    for condition, word in (("Complete", "Complete"), ("Failed", "Failed")):
        if condition in true:
            return word
    if job["metadata"].get("deletionTimestamp"):
        return "Terminating"
    if "Suspended" in true:
        return "Suspended"
    return next((word for word in _JOB_WORDS if word in true), "Running")


def _completions(job: Obj) -> str:
    done, wanted = at(job, "status", "succeeded", default=0), at(job, "spec", "completions", default=None)
    if wanted is not None:
        return f"{done}/{wanted}"
    parallelism = at(job, "spec", "parallelism", default=0)
    return f"{done}/1 of {parallelism}" if parallelism > 1 else f"{done}/1"


def _duration(job: Obj, now: float) -> str:
    started, ended = at(job, "status", "startTime"), at(job, "status", "completionTime")
    if not started:
        return ""
    return ages.human((times.parse(ended) if ended else now) - times.parse(started))


JOB = (
    NAME,
    column("Status", "string", "Status of the job.", job_status),
    column("Completions", "string", "batch.v1.JobStatus.succeeded", _completions),
    timed("Duration", "Time required to complete the job.", _duration),
    AGE, CONTAINERS, IMAGES, _selector("batch.v1.JobSpec.selector"),
)  # fmt: skip


def targets(scaler: Obj) -> str:
    """`cpu: 12%/80%`, two of them at most."""
    specs = at(scaler, "spec", "metrics", default=())
    current = at(scaler, "status", "currentMetrics", default=())
    if not specs:
        return "<none>"
    texts = [_target(spec, current[i] if i < len(current) else {}) for i, spec in enumerate(specs)]
    return first_few(texts, shown=2, glue=", ")


def _target(spec: Obj, reading: Obj) -> str:
    members = {"External": "external", "Pods": "pods", "Object": "object", "Resource": "resource",
               "ContainerResource": "containerResource"}  # fmt: skip
    member = members.get(spec.get("type", ""))
    if member is None:
        return "<unknown type>"
    source, now = spec.get(member) or {}, at(reading, member, "current", default={})
    target: dict[str, Any] = source.get("target") or {}
    if member in ("resource", "containerResource"):
        name = source.get("name", "")
        if "averageValue" in target:
            return f"{name}: {now.get('averageValue', '<unknown>')}/{target['averageValue']}"
        used = now.get("averageUtilization")
        asked = target.get("averageUtilization")
        return f"{name}: {'<unknown>' if used is None else f'{used}%'}/{'<auto>' if asked is None else f'{asked}%'}"
    if member == "pods":
        return f"{now.get('averageValue', '<unknown>')}/{target.get('averageValue', '<nil>')}"
    if "averageValue" in target:
        return f"{now.get('averageValue', '<unknown>')}/{target['averageValue']} (avg)"
    return f"{now.get('value', '<unknown>')}/{target.get('value', '<nil>')}"


def _reference(scaler: Obj) -> str:
    return f"{at(scaler, 'spec', 'scaleTargetRef', 'kind')}/{at(scaler, 'spec', 'scaleTargetRef', 'name')}"


_HPA = "autoscaling.v2.HorizontalPodAutoscaler"
AUTOSCALER = (
    NAME,
    column("Reference", "string", f"{_HPA}Spec.scaleTargetRef", _reference),
    column("Targets", "string", f"{_HPA}Spec.metrics", targets),
    column(
        "MinPods", "string", f"{_HPA}Spec.minReplicas",
        lambda o: str(at(o, "spec", "minReplicas", default="<unset>")),
    ),
    column("MaxPods", "string", f"{_HPA}Spec.maxReplicas", lambda o: at(o, "spec", "maxReplicas", default=0)),
    column(
        "Replicas", "string", f"{_HPA}Status.currentReplicas", lambda o: at(o, "status", "currentReplicas", default=0),
    ),
    AGE,
)  # fmt: skip
