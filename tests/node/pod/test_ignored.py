"""Fields that the host runtime cannot honour are named, and only those that ask for something."""

from madang.node.pod.ignored import ignored, message
from madang.ports.objects import Obj


def test_what_asks_for_nothing_is_not_named() -> None:
    container: Obj = {"name": "c", "securityContext": {"privileged": False, "capabilities": {}, "runAsUser": 7}}
    assert ignored({"spec": {"containers": [container], "hostPID": False, "dnsPolicy": "ClusterFirst"}}) == []


def test_what_is_not_honoured_is_named_by_its_path() -> None:
    container: Obj = {
        "name": "c",
        "securityContext": {"capabilities": {"drop": ["ALL"]}, "allowPrivilegeEscalation": False},
        "volumeMounts": [{"name": "v", "mountPath": "/v", "mountPropagation": "Bidirectional"}],
    }
    paths = ignored({"spec": {"containers": [container], "hostPID": True}})
    assert paths == [
        "spec.hostPID",
        "spec.containers{c}.securityContext.capabilities",
        "spec.containers{c}.securityContext.allowPrivilegeEscalation",
        "spec.containers{c}.volumeMounts[v].mountPropagation",
    ]
    assert message(paths[:1]) == "not honoured by the host runtime: spec.hostPID"
