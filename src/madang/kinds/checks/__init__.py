"""What an object must be to be taken in: the API's semantic validation, one function a kind.

In: the new object, defaulted and prepared, and the old one (None on create). Out: causes, in the API's order and
words; `status.invalid` makes the 422 of them. Nothing here changes an object.
"""

from collections.abc import Callable, Mapping, Sequence

from madang.kinds.causes import Cause
from madang.kinds.checks.autoscaler import check_autoscaler, check_autoscaler_status
from madang.kinds.checks.cluster import (
    check_event,
    check_lease,
    check_namespace,
    check_node,
    check_node_status,
    check_priority_class,
    check_runtime_class,
    check_service_account,
)
from madang.kinds.checks.configuration import check_config_map, check_secret
from madang.kinds.checks.custom import GROUP, custom, custom_status
from madang.kinds.checks.endpoint_slice import check_endpoint_slice
from madang.kinds.checks.endpoints import check_endpoints
from madang.kinds.checks.job import check_job, check_job_status
from madang.kinds.checks.meta import check_meta_update
from madang.kinds.checks.pod import check_pod, check_pod_status
from madang.kinds.checks.service import check_service
from madang.kinds.checks.storage import (
    check_claim,
    check_claim_status,
    check_storage_class,
    check_volume,
    check_volume_status,
)
from madang.kinds.checks.subresources import check_binding
from madang.kinds.checks.workloads import (
    check_deployment,
    check_deployment_status,
    check_pod_template,
    check_replica_set,
    check_replica_set_status,
    check_replication_controller,
)
from madang.ports.objects import Kind, Obj

Check = Callable[[Obj, Obj | None], Sequence[Cause]]
StatusCheck = Callable[[Obj, Obj], Sequence[Cause]]

CHECKS: Mapping[Kind, Check] = {
    "bindings": check_binding,
    "configmaps": check_config_map,
    "deployments.apps": check_deployment,
    "endpoints": check_endpoints,
    "endpointslices.discovery.k8s.io": check_endpoint_slice,
    "events": check_event,
    f"gatewayclasses.{GROUP}": custom("GatewayClass", namespaced=False),
    f"gateways.{GROUP}": custom("Gateway"),
    "horizontalpodautoscalers.autoscaling": check_autoscaler,
    f"httproutes.{GROUP}": custom("HTTPRoute"),
    "jobs.batch": check_job,
    "leases.coordination.k8s.io": check_lease,
    "namespaces": check_namespace,
    "nodes": check_node,
    "persistentvolumeclaims": check_claim,
    "persistentvolumes": check_volume,
    "pods": check_pod,
    "podtemplates": check_pod_template,
    "priorityclasses.scheduling.k8s.io": check_priority_class,
    "replicasets.apps": check_replica_set,
    "replicationcontrollers": check_replication_controller,
    "runtimeclasses.node.k8s.io": check_runtime_class,
    "secrets": check_secret,
    "serviceaccounts": check_service_account,
    "services": check_service,
    "storageclasses.storage.k8s.io": check_storage_class,
}

STATUS_CHECKS: Mapping[Kind, StatusCheck] = {
    "deployments.apps": check_deployment_status,
    f"gatewayclasses.{GROUP}": custom_status("GatewayClass"),
    f"gateways.{GROUP}": custom_status("Gateway"),
    "horizontalpodautoscalers.autoscaling": check_autoscaler_status,
    f"httproutes.{GROUP}": custom_status("HTTPRoute"),
    "jobs.batch": check_job_status,
    "namespaces": check_meta_update,
    "nodes": check_node_status,
    "persistentvolumeclaims": check_claim_status,
    "persistentvolumes": check_volume_status,
    "pods": check_pod_status,
    "replicasets.apps": check_replica_set_status,
    "replicationcontrollers": check_replica_set_status,
    "services": check_meta_update,
}
