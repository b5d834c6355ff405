"""The groups of workloads: apps, batch, autoscaling; and the core group's ReplicationController."""

from collections.abc import Callable

from madang.kinds import strategies
from madang.kinds.columns import workloads as printed
from madang.kinds.conversions import autoscaler
from madang.kinds.defaults import workloads
from madang.kinds.kind import Conversion, Kind, Subresource
from madang.kinds.rows.core import STATUS, text_at
from madang.ports.objects import Obj

SCALE = Subresource("scale", kind="Scale", group="autoscaling", version="v1")


def count_at(*path: str) -> Callable[[Obj], str]:
    """A number's text; what is absent is 0."""
    read = text_at(*path)
    return lambda obj: read(obj) or "0"


DEPLOYMENT = Kind(
    group="apps", version="v1", kind="Deployment", plural="deployments", singular="deployment", short=("deploy",),
    categories=("all",), subresources=(SCALE, STATUS),
    default=workloads.deployment, default_rest=workloads.no_rest, prepare_create=strategies.counted_create,
    prepare_update=strategies.deployment_update, prepare_status=strategies.deployment_status,
    columns=printed.DEPLOYMENT,
)  # fmt: skip
REPLICA_SET = Kind(
    group="apps", version="v1", kind="ReplicaSet", plural="replicasets", singular="replicaset", short=("rs",),
    categories=("all",), subresources=(SCALE, STATUS),
    fields={"status.replicas": count_at("status", "replicas")},
    default=workloads.replica_set, default_rest=workloads.no_rest, prepare_create=strategies.replica_set_create,
    prepare_update=strategies.counted_update, prepare_status=strategies.keep_spec,
    columns=printed.REPLICA_SET,
)  # fmt: skip
REPLICATION_CONTROLLER = Kind(
    group="", version="v1", kind="ReplicationController", plural="replicationcontrollers",
    singular="replicationcontroller", short=("rc",), categories=("all",), subresources=(SCALE, STATUS),
    fields={"status.replicas": count_at("status", "replicas")},
    default=workloads.replication_controller, prepare_create=strategies.replica_set_create,
    prepare_update=strategies.counted_update, prepare_status=strategies.keep_spec,
    columns=printed.REPLICATION_CONTROLLER,
)  # fmt: skip
JOB = Kind(
    group="batch", version="v1", kind="Job", plural="jobs", singular="job", categories=("all",),
    subresources=(STATUS,), fields={"status.successful": count_at("status", "succeeded")},
    default=workloads.job, prepare_create=strategies.job_create, prepare_update=strategies.counted_update,
    prepare_status=strategies.keep_spec,
    columns=printed.JOB,
)  # fmt: skip
AUTOSCALER = Kind(
    group="autoscaling", version="v2", kind="HorizontalPodAutoscaler", plural="horizontalpodautoscalers",
    singular="horizontalpodautoscaler", short=("hpa",), categories=("all",), subresources=(STATUS,), served=("v1",),
    also=(Conversion("autoscaling", "v1", autoscaler.from_stored, autoscaler.to_stored),),
    default=workloads.autoscaler, prepare_create=strategies.autoscaler_create,
    prepare_update=strategies.keep_status, prepare_status=strategies.keep_spec,
    columns=printed.AUTOSCALER,
)  # fmt: skip

ROWS = (DEPLOYMENT, REPLICA_SET, REPLICATION_CONTROLLER, JOB, AUTOSCALER)
