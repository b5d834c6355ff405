from typing import Any

from madang.kinds.checks import CHECKS, STATUS_CHECKS
from madang.kinds.checks.subresources import check_binding, check_scale, check_token_seconds
from madang.kinds.table import ALL
from tests.kinds.checks.objects import of, told

CLUSTER: dict[str, Any] = {"namespace": None}


def faults(kind: str, obj: dict[str, Any], old: dict[str, Any] | None = None) -> list[str]:
    return told(CHECKS[kind](obj, old))


def test_namespaces() -> None:
    assert faults("namespaces", of("Namespace", metadata=CLUSTER)) == []
    dotted = of("Namespace", metadata=CLUSTER | {"name": "a.b"})
    assert faults("namespaces", dotted) == ['metadata.name: Invalid value: "a.b": must not contain dots']


def test_nodes() -> None:
    node = of("Node", metadata=CLUSTER, spec={"taints": [{"key": "a", "effect": "NoSchedule"}] * 2})
    assert faults("nodes", node) == [
        'spec.taints[1]: Duplicate value: {"effect":"NoSchedule","key":"a"}: taints must be unique by key and effect '
        "pair"
    ]
    node["spec"]["taints"] = [{"key": "a", "effect": "Sometimes"}]
    assert faults("nodes", node) == [
        'spec.taints[0].effect: Unsupported value: "Sometimes": supported values: "NoSchedule", "PreferNoSchedule", '
        '"NoExecute"'
    ]
    less = {**node, "spec": {}, "status": {"capacity": {"cpu": "-1"}}}
    assert told(STATUS_CHECKS["nodes"](less, node)) == [
        'status.capacity.cpu: Invalid value: "-1": must be greater than or equal to 0'
    ]


def test_events_speak_of_their_own_namespace() -> None:
    event = of("Event", involvedObject={"kind": "Pod", "namespace": "other", "name": "p"})
    assert faults("events", event) == [
        'involvedObject.namespace: Invalid value: "other": does not match event.namespace'
    ]


def test_leases() -> None:
    lease = of("Lease", "coordination.k8s.io/v1", spec={"leaseDurationSeconds": 0, "leaseTransitions": -1})
    assert faults("leases.coordination.k8s.io", lease) == [
        "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
        "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0",
    ]


def test_classes() -> None:
    runtime = of("RuntimeClass", "node.k8s.io/v1", metadata=CLUSTER, handler="host")
    kind = "runtimeclasses.node.k8s.io"
    assert faults(kind, runtime) == []
    assert faults(kind, runtime | {"handler": "x"}, runtime) == ['handler: Invalid value: "x": field is immutable']
    high = of("PriorityClass", "scheduling.k8s.io/v1", metadata=CLUSTER, value=2_000_000_000)
    kind = "priorityclasses.scheduling.k8s.io"
    assert faults(kind, high) == ["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"]
    high["metadata"]["name"] = "system-mine"
    assert faults(kind, high) == [
        "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only"
    ]
    high["metadata"]["name"] = "system-cluster-critical"
    assert faults(kind, high) == []


def test_subresources() -> None:
    assert told(check_binding({"target": {"kind": "Pod"}})) == [
        'target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>"',
        "target.name: Required value",
    ]
    assert told(check_scale({"spec": {"replicas": -1}})) == [
        "spec.replicas: Invalid value: -1: must be greater than or equal to 0"
    ]
    assert check_scale({}) == check_token_seconds(600) == []
    assert told(check_token_seconds(599)) == [
        "spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes"
    ]


def test_every_kind_that_can_be_written_is_checked() -> None:
    for row in ALL:
        if "create" in row.verbs:
            assert row.id in CHECKS, f"{row.id} can be created, and nothing checks it"
