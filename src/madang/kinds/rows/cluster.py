"""The small groups: discovery, coordination, node, scheduling, metrics."""

from madang.kinds import strategies
from madang.kinds.columns import cluster as printed
from madang.kinds.defaults import workloads
from madang.kinds.kind import Kind

ENDPOINT_SLICE = Kind(
    group="discovery.k8s.io", version="v1", kind="EndpointSlice", plural="endpointslices", singular="endpointslice",
    default=workloads.endpoint_slice, prepare_create=strategies.first_generation,
    prepare_update=strategies.slice_update,
    columns=printed.ENDPOINT_SLICE,
)  # fmt: skip
LEASE = Kind(
    group="coordination.k8s.io",
    version="v1",
    kind="Lease",
    plural="leases",
    singular="lease",
    prepare_create=strategies.no_generation,
    prepare_update=strategies.plain_update,
    columns=printed.LEASE,
)
RUNTIME_CLASS = Kind(
    group="node.k8s.io", version="v1", kind="RuntimeClass", plural="runtimeclasses", namespaced=False,
    singular="runtimeclass",
    prepare_create=strategies.no_generation, prepare_update=strategies.plain_update,
    columns=printed.RUNTIME_CLASS,
)  # fmt: skip
PRIORITY_CLASS = Kind(
    group="scheduling.k8s.io", version="v1", kind="PriorityClass", plural="priorityclasses", namespaced=False,
    singular="priorityclass", short=("pc",),
    default=workloads.priority_class, prepare_create=strategies.first_generation,
    prepare_update=strategies.plain_update,
    columns=printed.PRIORITY_CLASS,
)  # fmt: skip
# measured, never stored: answered from samples
NODE_METRICS = Kind(
    group="metrics.k8s.io", version="v1beta1", kind="NodeMetrics", plural="nodes", namespaced=False, singular="",
    verbs=("get", "list"),
    columns=printed.METRICS,
)  # fmt: skip
POD_METRICS = Kind(
    group="metrics.k8s.io", version="v1beta1", kind="PodMetrics", plural="pods", singular="", verbs=("get", "list"),
    columns=printed.METRICS,
)  # fmt: skip

ROWS = (ENDPOINT_SLICE, LEASE, RUNTIME_CLASS, PRIORITY_CLASS, NODE_METRICS, POD_METRICS)
