"""Tables of each kind: columns in their order, cells as the API server prints them."""

from typing import Any

import pytest

from madang.kinds import table, table_output
from madang.kinds.columns.cells import selector_text
from madang.ports.objects import Obj

AT = "1970-01-01T00:00:00Z"


def cells(kind: str, **obj: Any) -> list[Any]:
    meta = {"name": "x", "creationTimestamp": AT, **obj.pop("metadata", {})}
    found: list[Any] = table_output.row(table.by_id(kind), {"metadata": meta, **obj}, 5.0)["cells"]
    return found


TEMPLATE = {"spec": {"containers": [{"name": "a", "image": "i:1"}, {"name": "b", "image": "j"}]}}


def test_workloads() -> None:
    spec = {"replicas": 3, "selector": {"matchLabels": {"app": "w"}}, "template": TEMPLATE}
    status = {"readyReplicas": 2, "updatedReplicas": 1, "availableReplicas": 2, "replicas": 3}
    assert cells("deployments.apps", spec=spec, status=status) == ["x", "2/3", 1, 2, "5s", "a,b", "i:1,j", "app=w"]
    assert cells("replicasets.apps", spec=spec, status=status) == ["x", 3, 3, 2, "5s", "a,b", "i:1,j", "app=w"]
    assert cells("replicasets.apps", spec={"replicas": 0})[-1] == "<none>"


def test_jobs() -> None:
    spec = {"completions": 2, "template": TEMPLATE}
    assert cells("jobs.batch", spec=spec, status={"succeeded": 1, "startTime": AT})[:5] == [
        "x", "Running", "1/2", "5s", "5s",
    ]  # fmt: skip
    over = {"startTime": AT, "completionTime": "1970-01-01T00:00:03Z", "succeeded": 2,
            "conditions": [{"type": "Complete", "status": "True"}]}  # fmt: skip
    assert cells("jobs.batch", spec=spec, status=over)[1:4] == ["Complete", "2/2", "3s"]
    assert cells("jobs.batch", spec={"parallelism": 4}, status={})[2] == "0/1 of 4"
    assert cells("jobs.batch", spec={}, status={"conditions": [{"type": "Suspended", "status": "True"}]})[1] == (
        "Suspended"
    )


def test_autoscalers() -> None:
    def metric(name: str, percent: int) -> Obj:
        return {"type": "Resource", "resource": {"name": name, "target": {"averageUtilization": percent}}}

    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "d"}, "minReplicas": 1, "maxReplicas": 3,
            "metrics": [metric("cpu", 80), metric("memory", 50), metric("x", 1)]}  # fmt: skip
    status = {"currentReplicas": 2, "currentMetrics": [
        {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 12}}}]}  # fmt: skip
    assert cells("horizontalpodautoscalers.autoscaling", spec=spec, status=status) == [
        "x", "Deployment/d", "cpu: 12%/80%, memory: <unknown>/50% + 1 more...", "1", 3, 2, "5s",
    ]  # fmt: skip


def test_services() -> None:
    spec = {"type": "NodePort", "clusterIPs": ["10.0.0.1"], "selector": {"b": "2", "a": "1"},
            "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]}  # fmt: skip
    assert cells("services", spec=spec) == [
        "x", "NodePort", "10.0.0.1", "<none>", "80:30080/TCP,53/UDP", "5s", "a=1,b=2",
    ]  # fmt: skip
    balanced: Obj = {"type": "LoadBalancer", "clusterIPs": ["10.0.0.1"]}
    assert cells("services", spec=balanced)[3] == "<pending>"
    status = {"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}}
    assert cells("services", spec=balanced, status=status)[3] == "127.0.0.1"
    external = {"type": "ExternalName", "externalName": "e.x"}
    assert cells("services", spec=external)[2:5] == ["<none>", "e.x", "<none>"]


def test_nodes() -> None:
    status = {
        "conditions": [{"type": "Ready", "status": "True"}],
        "addresses": [{"type": "InternalIP", "address": "10.0.0.9"}],
        "nodeInfo": {"kubeletVersion": "v1", "osImage": "Linux", "kernelVersion": "6", "architecture": "amd64"},
    }  # fmt: skip
    labels = {"node-role.kubernetes.io/control-plane": "", "node-role.kubernetes.io/worker": ""}
    assert cells("nodes", metadata={"labels": labels}, spec={"unschedulable": True}, status=status) == [
        "x", "Ready,SchedulingDisabled", "control-plane,worker", "5s", "v1", "10.0.0.9", "<none>", "Linux", "6 (amd64)",
        "<unknown>",
    ]  # fmt: skip
    assert cells("nodes", spec={}, status={})[1:3] == ["Unknown", "<none>"]


def test_events() -> None:
    event = {
        "type": "Normal", "reason": "R", "message": " m \n", "firstTimestamp": AT, "lastTimestamp": None, "count": 2,
        "involvedObject": {"kind": "Pod", "name": "p", "fieldPath": "f"}, "source": {"component": "k", "host": "n"},
    }  # fmt: skip
    assert cells("events", **event) == ["5s", "Normal", "R", "pod/p", "f", "k, n", "m", "5s", 2, "x"]
    series = {"lastObservedTime": "1970-01-01T00:00:04.000000Z", "count": 9}
    assert cells("events", **{**event, "series": series})[0] == "1s"
    assert cells("events", **{**event, "firstTimestamp": None})[0] == "<unknown>"


def test_the_small_kinds() -> None:
    assert cells("configmaps", data={"a": ""}, binaryData={"b": ""}) == ["x", 2, "5s"]
    assert cells("secrets", type="Opaque") == ["x", "Opaque", 0, "5s"]
    assert cells("serviceaccounts") == ["x", "5s"]
    assert cells("namespaces", status={"phase": "Active"}) == ["x", "Active", "5s"]
    found = {"addressType": "IPv4", "ports": [{"port": 80}, {"name": "n"}, {}],
             "endpoints": [{"addresses": [f"10.0.0.{n}"]} for n in range(5)]}  # fmt: skip
    assert cells("endpointslices.discovery.k8s.io", **found)[1:4] == [
        "IPv4", "80,n,*", "10.0.0.0,10.0.0.1,10.0.0.2 + 2 more...",
    ]  # fmt: skip
    assert cells("endpointslices.discovery.k8s.io", endpoints=None, ports=None)[2:4] == ["<unset>", "<unset>"]
    assert cells("leases.coordination.k8s.io", spec={"holderIdentity": "h"}) == ["x", "h", "5s"]
    assert cells("priorityclasses.scheduling.k8s.io", value=5) == ["x", 5, False, "5s", ""]
    assert cells("runtimeclasses.node.k8s.io", handler="h") == ["x", "h", "5s"]
    route = "httproutes.gateway.networking.k8s.io"
    assert cells(route, spec={"hostnames": ["a.b"]}) == ["x", '["a.b"]', "5s"] and cells(route)[1] is None
    accepted = {"conditions": [{"type": "Accepted", "status": "True"}]}
    assert cells("gatewayclasses.gateway.networking.k8s.io", spec={"controllerName": "c"}, status=accepted) == [
        "x", "c", "True", "5s", None,
    ]  # fmt: skip


def test_the_table_itself() -> None:
    pods = table.by_id("pods")
    pod = {"metadata": {"name": "p", "resourceVersion": "7"}, "spec": {}, "status": {"phase": "Succeeded"}}
    one = table_output.table(pods, [pod], 0, metadata={"resourceVersion": "7"})
    assert one["metadata"] == {"resourceVersion": "7"} and one["apiVersion"] == "meta.k8s.io/v1"
    assert one["rows"][0]["conditions"][0]["reason"] == "Succeeded"
    assert one["rows"][0]["object"] == {
        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": pod["metadata"],
    }  # fmt: skip
    later = table_output.table(pods, [pod], 0, include="None", metadata={"resourceVersion": "9"}, columns=False)
    assert later["columnDefinitions"] is None and later["rows"][0]["object"] is None
    assert table_output.table(pods, [pod], 0, include="Object")["rows"][0]["object"] is pod
    assert [c["name"] for c in one["columnDefinitions"] if c["priority"]] == [
        "IP", "Node", "Nominated Node", "Readiness Gates",
    ]  # fmt: skip


def test_a_scale_is_printed_by_columns_of_its_own() -> None:
    scale = {"metadata": {"name": "d"}, "spec": {"replicas": 3}, "status": {"replicas": 2}}
    shown = table_output.table(table.by_id("deployments.apps"), [scale], 0.0, subresource="scale")
    assert [c["name"] for c in shown["columnDefinitions"]] == ["Name", "Desired", "Available", "Age"]
    assert shown["rows"][0]["cells"][:3] == ["d", 3, 2]


def test_selectors() -> None:
    rules = [{"key": "t", "operator": "In", "values": ["b", "a"]}, {"key": "o", "operator": "DoesNotExist"}]
    assert selector_text({"matchLabels": {"z": "1"}, "matchExpressions": rules}) == "!o,t in (a,b),z=1"
    assert selector_text(None) == selector_text({}) == ""


@pytest.mark.parametrize("kind", table.ALL, ids=lambda kind: kind.id)
def test_every_kind_prints_what_is_nearly_empty(kind: table.Kind) -> None:
    obj = {"metadata": {"name": "x"}}
    assert len(table_output.row(kind, obj, 0.0)["cells"]) == len(table_output.definitions(kind))
    assert all(column["description"] for column in table_output.definitions(kind))
