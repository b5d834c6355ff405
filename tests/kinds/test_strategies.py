"""What a write may change: status and spec apart, generations, a job's selector, a service's leftovers."""

import json
from typing import Any

from madang.kinds import qos, table
from madang.kinds.decode import decode
from madang.ports.objects import Obj


def made(kind: str, obj: Obj) -> Obj:
    row = table.by_id(kind)
    found = decode(table.stored(row), json.dumps(obj).encode()).obj
    if row.default:
        row.default(found)
    return found


def created(kind: str, spec: Any = None, **meta: Any) -> Obj:
    obj = made(kind, {"metadata": {"name": "x", "uid": "u", "generation": 9, **meta}, "spec": spec or {},
                      "status": {"phase": "Odd", "replicas": 3}})  # fmt: skip
    prepare = table.by_id(kind).prepare_create
    assert prepare
    prepare(obj)
    return obj


def updated(kind: str, old: Obj, **parts: Any) -> Obj:
    row = table.by_id(kind)
    new = made(kind, {**json.loads(json.dumps(old)), **parts})
    before = json.dumps(old, sort_keys=True)
    prepare = row.prepare_update
    assert prepare
    prepare(new, old)
    assert json.dumps(old, sort_keys=True) == before, "the old object is never changed"
    return new


POD = {"containers": [{"name": "c", "image": "i"}]}
DEPLOYMENT = {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": POD}}


def test_a_pod_begins_pending() -> None:
    pod = created("pods", POD, creationTimestamp="2026-01-01T00:00:00Z")
    assert pod["status"] == {"phase": "Pending", "qosClass": "BestEffort"} and pod["metadata"]["generation"] == 1
    gated = created("pods", {**POD, "schedulingGates": [{"name": "g"}]}, creationTimestamp="2026-01-01T00:00:00Z")
    assert gated["status"]["conditions"] == [{
        "type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "lastProbeTime": None,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
        "message": "Scheduling is blocked due to non-empty scheduling gates",
    }]  # fmt: skip


def test_spec_and_status_are_written_apart() -> None:
    old = created("deployments.apps", DEPLOYMENT)
    assert old["status"] == {} and old["metadata"]["generation"] == 1
    scaled = updated("deployments.apps", old, spec={**old["spec"], "replicas": 5}, status={"replicas": 7})
    assert scaled["status"] == {} and scaled["metadata"]["generation"] == 2
    row = table.by_id("deployments.apps")
    reported = made("deployments.apps", {**old, "spec": {"replicas": 9}, "status": {"replicas": 7}})
    assert row.prepare_status
    row.prepare_status(reported, old)
    assert reported["spec"] == old["spec"] and reported["status"] == {"replicas": 7}
    assert reported["metadata"]["generation"] == 1


def test_generations_count_what_matters() -> None:
    old = created("deployments.apps", DEPLOYMENT)
    assert updated("deployments.apps", old)["metadata"]["generation"] == 1
    noted = updated("deployments.apps", old, metadata={**old["metadata"], "annotations": {"a": "b"}})
    assert noted["metadata"]["generation"] == 2
    replica_set = created("replicasets.apps", DEPLOYMENT)
    noted = updated("replicasets.apps", replica_set, metadata={**replica_set["metadata"], "annotations": {"a": "b"}})
    assert noted["metadata"]["generation"] == 1 and noted["status"] == {"replicas": 0}
    assert "generation" not in created("configmaps")["metadata"]
    found = created("endpointslices.discovery.k8s.io")
    assert updated("endpointslices.discovery.k8s.io", found, endpoints=[{"addresses": ["10.0.0.1"]}])["metadata"][
        "generation"] == 2  # fmt: skip


def test_a_pods_status() -> None:
    old = created("pods", POD, ownerReferences=[{"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u"}])
    old["status"]["conditions"] = [{"type": "Ready", "status": "False", "observedGeneration": 1}]
    row = table.by_id("pods")
    new = made("pods", {"metadata": {"name": "x"}, "spec": POD, "status": {"phase": "Running", "podIP": "10.0.0.1",
               "conditions": [{"type": "Ready", "status": "True"}]}})  # fmt: skip
    assert row.prepare_status
    row.prepare_status(new, old)
    assert new["metadata"]["ownerReferences"] == old["metadata"]["ownerReferences"]
    assert new["status"]["qosClass"] == "BestEffort" and new["status"]["podIPs"] == [{"ip": "10.0.0.1"}]
    assert new["status"]["conditions"][0]["observedGeneration"] == 1


def test_a_job_selects_its_own_pods() -> None:
    job = created("jobs.batch", {"template": {"spec": {**POD, "restartPolicy": "Never"}}})
    labels = {"batch.kubernetes.io/controller-uid": "u", "batch.kubernetes.io/job-name": "x", "controller-uid": "u",
              "job-name": "x"}  # fmt: skip
    assert job["spec"]["template"]["metadata"]["labels"] == labels == job["metadata"]["labels"]
    assert job["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}}


def test_a_service_forgets_what_its_type_no_longer_uses() -> None:
    old = created("services", {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}], "clusterIP": "10.0.0.1",
                               "clusterIPs": ["10.0.0.1"]})  # fmt: skip
    inner = updated("services", old, spec={**old["spec"], "type": "ClusterIP"})["spec"]
    assert "nodePort" not in inner["ports"][0] and "externalTrafficPolicy" not in inner
    outer = updated("services", old, spec={**old["spec"], "type": "ExternalName", "externalName": "x.y"})["spec"]
    assert "clusterIP" not in outer and "clusterIPs" not in outer


def test_namespaces() -> None:
    old = created("namespaces")
    assert old["spec"] == {"finalizers": ["kubernetes"]} and old["status"] == {"phase": "Active"}
    assert updated("namespaces", old, spec={}, status={"phase": "Terminating"})["spec"] == old["spec"]


def test_custom_resources_have_their_status_apart() -> None:
    kind = "gatewayclasses.gateway.networking.k8s.io"
    old = created(kind, {"controllerName": "madang.dev/gateway"})
    assert old["status"]["conditions"][0]["reason"] == "Pending" and old["metadata"]["generation"] == 1
    changed = updated(kind, old, spec={"controllerName": "x.dev/y"}, status={})
    assert changed["metadata"]["generation"] == 2 and changed["status"] == old["status"]
    row = table.by_id(kind)
    assert row.prepare_status
    new = {**old, "metadata": {"name": "x", "labels": {"a": "b"}}, "spec": {}, "status": {"conditions": []}}
    row.prepare_status(new, old)
    assert new["spec"] == old["spec"] and new["status"] == {"conditions": []} and "labels" not in new["metadata"]


def test_label_keys_become_requirements() -> None:
    spec = {**POD, "topologySpreadConstraints": [{
        "maxSkew": 1, "topologyKey": "k", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {},
        "matchLabelKeys": ["a", "none"]}]}  # fmt: skip
    pod = created("pods", spec, labels={"a": "b"})
    assert pod["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchExpressions"] == [
        {"key": "a", "operator": "In", "values": ["b"]},
    ]  # fmt: skip


def test_quality_of_service() -> None:
    def of(*containers: Obj) -> str:
        return qos.of({"containers": [{"resources": c} for c in containers]})

    whole = {"cpu": "1", "memory": "1Gi"}
    assert of({}) == "BestEffort"
    assert of({"requests": whole, "limits": whole}) == "Guaranteed"
    assert of({"requests": {"cpu": "1000m", "memory": "1024Mi"}, "limits": whole}) == "Guaranteed"
    assert of({"requests": {"cpu": "500m"}, "limits": whole}) == "Burstable"
    assert of({"requests": whole, "limits": whole}, {}) == "Burstable"
    assert of({"requests": {"cpu": "0"}}) == "BestEffort"
