"""What admission adds to a fresh object, and what it refuses."""

import pytest

from madang.kinds import admission
from madang.ports.errors import Forbidden
from madang.ports.objects import Obj


def pod(**spec: object) -> Obj:
    return {"metadata": {"name": "p", "namespace": "d"}, "spec": {"containers": [{"name": "c"}], **spec}}


def test_the_token_stands_at_its_usual_place() -> None:
    found = pod(initContainers=[{"name": "i", "volumeMounts": [{"name": "v", "mountPath": admission.TOKEN_PATH}]}])
    admission.service_account_volume(found, {"imagePullSecrets": [{"name": "s"}]}, "abcde")
    spec = found["spec"]
    assert spec["serviceAccountName"] == spec["serviceAccount"] == "default"
    assert spec["containers"][0]["volumeMounts"] == [
        {"name": "kube-api-access-abcde", "readOnly": True, "mountPath": admission.TOKEN_PATH},
    ]  # fmt: skip
    assert len(spec["initContainers"][0]["volumeMounts"]) == 1 and spec["imagePullSecrets"] == [{"name": "s"}]
    assert [source.popitem()[0] for source in spec["volumes"][0]["projected"]["sources"]] == [
        "serviceAccountToken", "configMap", "downwardAPI",
    ]  # fmt: skip


def test_no_token_where_nobody_wants_one() -> None:
    for spec, account in (({"automountServiceAccountToken": False}, {}), ({}, {"automountServiceAccountToken": False})):
        found = pod(**spec)
        admission.service_account_volume(found, account, "abcde")
        assert "volumes" not in found["spec"]


def test_a_missing_account_is_refused() -> None:
    with pytest.raises(Forbidden) as caught:
        admission.service_account_volume(pod(serviceAccountName="no"), None, "abcde")
    assert caught.value.message == (
        'pods "p" is forbidden: error looking up service account d/no: serviceaccount "no" not found'
    )


def test_tolerations_of_lost_nodes() -> None:
    found = pod(tolerations=[{"key": "node.kubernetes.io/not-ready", "operator": "Exists"}])
    admission.default_tolerations(found)
    assert [t["key"] for t in found["spec"]["tolerations"]] == [
        "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable",
    ]  # fmt: skip
    everything = pod(tolerations=[{"operator": "Exists"}])
    admission.default_tolerations(everything)
    assert len(everything["spec"]["tolerations"]) == 1


def test_priority() -> None:
    classes = [{"metadata": {"name": "high"}, "value": 5, "preemptionPolicy": "Never"},
               {"metadata": {"name": "usual"}, "value": 2, "globalDefault": True}]  # fmt: skip
    named, silent, none = pod(priorityClassName="high"), pod(), pod()
    admission.priority(named, classes)
    assert (named["spec"]["priority"], named["spec"]["preemptionPolicy"]) == (5, "Never")
    admission.priority(silent, classes)
    assert (silent["spec"]["priority"], silent["spec"]["priorityClassName"]) == (2, "usual")
    admission.priority(none, [])
    assert (none["spec"]["priority"], none["spec"]["preemptionPolicy"]) == (0, "PreemptLowerPriority")
    with pytest.raises(Forbidden, match="no PriorityClass with name no was found"):
        admission.priority(pod(priorityClassName="no"), classes)
    with pytest.raises(Forbidden, match=r"the integer value of priority \(9\) must not be provided in pod spec"):
        admission.priority(pod(priority=9), [])


def test_a_runtime_class_adds_its_overhead() -> None:
    found = pod(runtimeClassName="r")
    scheduling = {"nodeSelector": {"a": "b"}, "tolerations": [{"key": "k", "operator": "Exists"}]}
    admission.runtime_class(found, {"overhead": {"podFixed": {"cpu": "1"}}, "scheduling": scheduling})
    assert found["spec"]["overhead"] == {"cpu": "1"} and found["spec"]["nodeSelector"] == {"a": "b"}
    assert found["spec"]["tolerations"] == [{"key": "k", "operator": "Exists"}]
    with pytest.raises(Forbidden, match='RuntimeClass "r" not found'):
        admission.runtime_class(pod(runtimeClassName="r"), None)


def test_nodes() -> None:
    node: Obj = {"metadata": {"name": "n"}, "spec": {}}
    admission.node_taint(node)
    admission.node_taint(node)
    assert node["spec"]["taints"] == [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]
