"""Defaults, to the letter; each case is what an API server of v1.36 answers to the same object."""

import json

import pytest

from madang.kinds import table
from madang.kinds.decode import decode
from madang.kinds.defaults.pod import pull_policy
from madang.ports.objects import Obj


def defaulted(kind: str, obj: Obj) -> Obj:
    row = table.by_id(kind)
    made = decode(table.stored(row), json.dumps(obj).encode()).obj
    if row.default:
        row.default(made)
    return made


CONTAINER = {"name": "c", "image": "i"}
FILLED = {"image": "i", "imagePullPolicy": "Always", "name": "c", "resources": {},
          "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}  # fmt: skip
PROBE = {"failureThreshold": 3, "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1}


def test_a_pod() -> None:
    pod = defaulted("pods", {"metadata": {"name": "p"}, "spec": {"containers": [CONTAINER]}})
    assert pod["spec"] == {
        "containers": [FILLED], "dnsPolicy": "ClusterFirst", "enableServiceLinks": True, "restartPolicy": "Always",
        "schedulerName": "default-scheduler", "securityContext": {}, "terminationGracePeriodSeconds": 30,
    }  # fmt: skip


def test_a_template_gets_less() -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [CONTAINER], "restartPolicy": "Never"}}
    job = defaulted("jobs.batch", {"spec": {"template": template}})
    assert "enableServiceLinks" not in job["spec"]["template"]["spec"]
    assert job["spec"]["template"]["spec"]["containers"] == [FILLED]
    assert job["metadata"]["labels"] == {"a": "b"}
    del job["spec"]["template"]
    assert job["spec"] == {
        "backoffLimit": 6, "completionMode": "NonIndexed", "completions": 1, "manualSelector": False,
        "parallelism": 1, "podReplacementPolicy": "TerminatingOrFailed", "suspend": False,
    }  # fmt: skip


def test_probes_handlers_volumes_and_references() -> None:
    pod = defaulted("pods", {"spec": {
        "containers": [{
            **CONTAINER, "livenessProbe": {"httpGet": {"port": 80}}, "readinessProbe": {"grpc": {"port": 1}},
            "lifecycle": {"preStop": {"httpGet": {"port": 80}}}, "ports": [{"containerPort": 80}],
            "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        }],
        "volumes": [
            {"name": "e"}, {"name": "s", "secret": {"secretName": "x"}}, {"name": "h", "hostPath": {"path": "/x"}},
            {"name": "d", "downwardAPI": {"items": [{"path": "a", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
            {"name": "j", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
        ],
    }})["spec"]  # fmt: skip
    container = pod["containers"][0]
    assert container["livenessProbe"] == {**PROBE, "httpGet": {"path": "/", "port": 80, "scheme": "HTTP"}}
    assert container["readinessProbe"] == {**PROBE, "grpc": {"port": 1, "service": ""}}
    assert container["lifecycle"]["preStop"]["httpGet"] == {"path": "/", "port": 80, "scheme": "HTTP"}
    assert container["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert container["env"][0]["valueFrom"]["fieldRef"]["apiVersion"] == "v1"
    assert pod["volumes"] == [
        {"name": "e", "emptyDir": {}}, {"name": "s", "secret": {"secretName": "x", "defaultMode": 420}},
        {"name": "h", "hostPath": {"path": "/x", "type": ""}},
        {"name": "d", "downwardAPI": {"defaultMode": 420, "items": [
            {"path": "a", "fieldRef": {"fieldPath": "metadata.labels", "apiVersion": "v1"}}]}},
        {"name": "j", "projected": {"defaultMode": 420, "sources": [
            {"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}}]}},
    ]  # fmt: skip


def test_requests_follow_limits_and_amounts_are_whole_thousandths() -> None:
    pod = defaulted("pods", {"spec": {"hostNetwork": True, "containers": [{
        **CONTAINER, "ports": [{"containerPort": 80}],
        "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "100u"}}}]}})  # fmt: skip
    container = pod["spec"]["containers"][0]
    assert container["resources"]["requests"] == {"cpu": "1m", "memory": "1Gi"}
    assert container["ports"][0]["hostPort"] == 80


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("i", "Always"), ("i:latest", "Always"), ("i:1", "IfNotPresent"), ("", "IfNotPresent"),
        ("r.io:5000/a/b", "Always"), ("r.io:5000/a/b:2", "IfNotPresent"), ("Bad", "IfNotPresent"),
        ("i@sha256:" + "0" * 64, "IfNotPresent"), ("localhost/x", "Always"), ("a/b", "Always"),
    ],
)  # fmt: skip
def test_pull_policy(image: str, policy: str) -> None:
    assert pull_policy(image) == policy


def test_a_deployment() -> None:
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": {"spec": {"containers": [CONTAINER]}}}
    rolling = defaulted("deployments.apps", {"spec": spec})["spec"]
    assert rolling["strategy"] == {
        "type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
    }  # fmt: skip
    assert (rolling["replicas"], rolling["revisionHistoryLimit"], rolling["progressDeadlineSeconds"]) == (1, 10, 600)
    recreate = defaulted("deployments.apps", {"spec": {**spec, "replicas": 0, "strategy": {"type": "Recreate"}}})
    assert recreate["spec"]["strategy"] == {"type": "Recreate"} and recreate["spec"]["replicas"] == 0


def test_services() -> None:
    plain = defaulted("services", {"spec": {"ports": [{"port": 80}]}})
    assert plain["spec"] == {
        "internalTrafficPolicy": "Cluster", "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
        "sessionAffinity": "None", "type": "ClusterIP",
    }  # fmt: skip
    sticky = defaulted("services", {"spec": {"type": "NodePort", "sessionAffinity": "ClientIP"}})["spec"]
    assert sticky["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}
    assert sticky["externalTrafficPolicy"] == "Cluster"
    balanced = defaulted("services", {"spec": {"type": "LoadBalancer"}})["spec"]
    assert balanced["allocateLoadBalancerNodePorts"] is True
    external = defaulted("services", {"spec": {"type": "ExternalName", "externalName": "x.y"}})["spec"]
    assert external == {"externalName": "x.y", "sessionAffinity": "None", "type": "ExternalName"}


def test_the_small_kinds() -> None:
    secret = defaulted("secrets", {"data": {"c": "ZA=="}, "stringData": {"a": "b"}})
    assert secret["data"] == {"a": "Yg==", "c": "ZA=="} and secret["type"] == "Opaque" and "stringData" not in secret
    assert defaulted("namespaces", {"metadata": {"name": "n"}})["metadata"]["labels"] == {
        "kubernetes.io/metadata.name": "n"}  # fmt: skip
    assert defaulted("nodes", {"status": {"capacity": {"cpu": "1"}}})["status"]["allocatable"] == {"cpu": "1"}
    found = defaulted("endpointslices.discovery.k8s.io", {"ports": [{"port": 80}], "endpoints": []})
    assert found["ports"] == [{"port": 80, "name": "", "protocol": "TCP"}]
    found = defaulted("priorityclasses.scheduling.k8s.io", {"value": 5})
    assert found["preemptionPolicy"] == "PreemptLowerPriority"


def test_an_autoscaler() -> None:
    spec = {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "d"}, "behavior": {
        "scaleUp": {"policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}]}}}  # fmt: skip
    found = defaulted("horizontalpodautoscalers.autoscaling", {"spec": spec})["spec"]
    assert found["minReplicas"] == 1 and found["metrics"] == [{"type": "Resource", "resource": {
        "name": "cpu", "target": {"averageUtilization": 80, "type": "Utilization"}}}]  # fmt: skip
    assert found["behavior"] == {
        "scaleDown": {"policies": [{"periodSeconds": 15, "type": "Percent", "value": 100}], "selectPolicy": "Max"},
        "scaleUp": {"policies": [{"periodSeconds": 15, "type": "Pods", "value": 4}], "selectPolicy": "Max",
                    "stabilizationWindowSeconds": 0},
    }  # fmt: skip


def test_a_route_gets_its_schemas_defaults() -> None:
    spec = {"parentRefs": [{"name": "g"}], "rules": [{"backendRefs": [{"name": "s", "port": 80}]}]}
    route = defaulted("httproutes.gateway.networking.k8s.io", {"spec": spec})["spec"]
    assert route["parentRefs"] == [{"name": "g", "group": "gateway.networking.k8s.io", "kind": "Gateway"}]
    assert route["rules"][0]["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    assert route["rules"][0]["backendRefs"] == [
        {"name": "s", "port": 80, "group": "", "kind": "Service", "weight": 1},
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [row for row in table.ALL if row.default], ids=lambda row: row.id)
def test_an_empty_object_takes_defaults_and_twice_is_once(kind: table.Kind) -> None:
    once = defaulted(kind.id, {"metadata": {"name": "x"}})
    twice = defaulted(kind.id, once)
    assert twice == once
