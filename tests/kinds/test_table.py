"""The kind table: every row is complete and can be found in every way."""

import pytest

from madang.kinds import schema, table
from madang.kinds.kind import Kind


@pytest.mark.parametrize("kind", table.ALL, ids=lambda kind: kind.id)
def test_a_row_is_found_in_every_way(kind: Kind) -> None:
    assert table.by_id(kind.id) is kind
    served = table.by_path(kind.group, kind.version, kind.plural)
    assert served is not None and served.kind is kind and served.id == kind.id
    assert table.by_kind(kind.group, kind.version, kind.kind) is served
    assert table.stored(kind) is served
    assert table.by_object({"apiVersion": kind.api_version, "kind": kind.kind}) is served


@pytest.mark.parametrize("served", table.SERVED, ids=lambda served: f"{served.api_version} {served.kind.kind}")
def test_every_served_version_has_a_shape(served: table.Served) -> None:
    assert schema.has(served.group, served.version, served.kind.kind)
    assert {"apiVersion", "kind", "metadata"} <= served.node.fields.keys()


def test_events_are_one_storage_under_two_groups() -> None:
    new = table.by_path("events.k8s.io", "v1", "events")
    assert new is not None and new.kind is table.by_id("events") and new.id == "events.events.k8s.io"
    core = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "d"}, "message": "m",
            "involvedObject": {"kind": "Pod"}, "source": {"component": "c"}, "eventTime": None, "firstTimestamp": None,
            "lastTimestamp": None, "reportingComponent": "", "reportingInstance": "", "count": 2}  # fmt: skip
    shown = new.from_stored(core)
    assert shown["note"] == "m" and shown["regarding"] == {"kind": "Pod"} and shown["deprecatedCount"] == 2
    assert "reportingController" not in shown
    assert new.to_stored(shown) == core


def test_an_autoscaler_survives_both_versions() -> None:
    v1 = table.by_path("autoscaling", "v1", "horizontalpodautoscalers")
    assert v1 is not None
    scaler = {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "h", "annotations": {"a": "b"}},
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": "d"}, "maxReplicas": 3,
            "metrics": [
                {"type": "Resource", "resource": {"name": "cpu", "target": {
                    "type": "Utilization", "averageUtilization": 80}}},
                {"type": "Resource", "resource": {"name": "memory", "target": {
                    "type": "AverageValue", "averageValue": "1Gi"}}},
                {"type": "Pods", "pods": {"metric": {"name": "rps"}, "target": {
                    "type": "AverageValue", "averageValue": "10"}}},
                {"type": "Object", "object": {
                    "describedObject": {"kind": "Service", "name": "s", "apiVersion": "v1"},
                    "metric": {"name": "hits"}, "target": {"type": "Value", "value": "5"}}},
            ],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 5}},
        },
        "status": {
            "desiredReplicas": 1, "currentReplicas": 1,
            "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": {
                "averageUtilization": 12, "averageValue": "30m"}}}],
            "conditions": [{"type": "AbleToScale", "status": "True", "lastTransitionTime": None}],
        },
    }  # fmt: skip
    shown = v1.from_stored(scaler)
    assert shown["spec"]["targetCPUUtilizationPercentage"] == 80 and "metrics" not in shown["spec"]
    assert shown["status"]["currentCPUUtilizationPercentage"] == 12
    kept = ("metrics", "current-metrics", "behavior", "conditions")
    assert set(shown["metadata"]["annotations"]) == {"a", *(f"autoscaling.alpha.kubernetes.io/{n}" for n in kept)}
    assert v1.to_stored(shown) == scaler


def test_selectable_fields() -> None:
    pods = table.by_id("pods").fields
    assert pods["spec.nodeName"]({"spec": {"nodeName": "n"}}) == "n" and pods["status.phase"]({}) == ""
    assert pods["spec.hostNetwork"]({}) == "false"
    assert table.by_id("nodes").fields["spec.unschedulable"]({"spec": {"unschedulable": True}}) == "true"
    assert table.by_id("jobs.batch").fields["status.successful"]({}) == "0"
    assert table.by_id("events").fields["source"]({"reportingComponent": "c"}) == "c"


def test_unknown_is_nothing() -> None:
    assert table.by_path("", "v1", "nopes") is None and table.by_kind("", "v2", "Pod") is None
    assert table.by_object({}) is None
    with pytest.raises(KeyError):
        table.by_id("nopes")
