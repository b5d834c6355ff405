"""One row a service, from objects as the API gives them."""

from typing import Any

from madang.cli.services import scheme, summary, why_not


def deployment(name: str, replicas: int, ready: int) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"replicas": replicas},
        "status": {"readyReplicas": ready},
    }


def pod(owner: str, **status: Any) -> dict[str, Any]:
    owners = [{"kind": "ReplicaSet", "name": f"{owner}-abc12"}]
    meta = {"name": f"{owner}-abc12-x", "namespace": "shop", "ownerReferences": owners}
    return {"metadata": meta, "spec": {}, "status": status}


def test_a_service_that_cannot_start_says_why() -> None:
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "no such program"}}
    broken = pod("web", containerStatuses=[{"name": "web", "restartCount": 2, "state": waiting}])
    (row,) = summary([deployment("web", 2, 1)], [], [broken], [])
    assert (row["ready"], row["wanted"], row["restarts"], row["state"]) == (1, 2, 2, "starting")
    assert row["reason"] == "ErrImagePull: no such program"


def test_states_of_a_deployment() -> None:
    rows = summary([deployment("a", 0, 0), deployment("b", 1, 1), deployment("c", 2, 0)], [], [], [])
    assert [r["state"] for r in rows] == ["stopped", "ready", "starting"]


def test_a_pod_that_fits_nowhere_says_so() -> None:
    unplaced = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available: 1 Insufficient cpu."}
    assert why_not([pod("a", conditions=[unplaced])], {}) == "0/1 nodes are available: 1 Insufficient cpu."


def test_published_addresses() -> None:
    service: dict[str, Any] = {
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"ports": [{"port": 8080}]},
        "status": {"loadBalancer": {"ingress": [{"ip": "127.0.0.1", "ports": [{"port": 8080, "protocol": "TCP"}]}]}},
    }
    (row,) = summary([deployment("web", 1, 1)], [], [], [service])
    assert row["addresses"] == ["127.0.0.1:8080"] and row["schemes"] == {}
    service["spec"] = {"ports": [{"port": 8080, "appProtocol": "redis"}]}
    (row,) = summary([deployment("web", 1, 1)], [], [], [service])
    assert row["schemes"] == {"127.0.0.1:8080": "redis"}
    assert [scheme(p) for p in ("", "https", "kubernetes.io/h2c", "grpc")] == ["http", "https", "http", "http"]


def test_an_update_that_does_not_get_on_says_why() -> None:
    owner = deployment("web", 2, 2)
    owner["status"] |= {"replicas": 3, "updatedReplicas": 1}
    ended = {"terminated": {"exitCode": 1, "message": "No module named 'nosuch'"}}
    new = pod("web", containerStatuses=[{"name": "web", "state": ended}])
    killed = {"restartCount": 1, "state": {"running": {}}, "lastState": {"terminated": {"exitCode": 137}}}
    old = pod("web", conditions=[{"type": "Ready", "status": "True"}], containerStatuses=[killed | {"name": "web"}])
    (row,) = summary([owner], [], [old, new], [])
    assert (row["state"], row["reason"]) == ("updating", "ended with exit code 1: No module named 'nosuch'")


def test_the_last_warning_is_a_reason() -> None:
    late = pod("web")
    late["metadata"]["name"] = "web-1"
    event = {"type": "Warning", "involvedObject": {"name": "web-1"}, "reason": "Unhealthy", "message": "it is ill"}
    (row,) = summary([deployment("web", 1, 0)], [], [late], [], [event])
    assert row["reason"] == "Unhealthy: it is ill"


def test_what_all_its_instances_use() -> None:
    one, two = pod("web"), pod("web")
    two["metadata"]["name"] = "web-abc12-y"
    usage = {"cpu": "2500u", "memory": "10Mi"}
    samples = [
        {"metadata": {"namespace": "shop", "name": p["metadata"]["name"]}, "containers": [{"usage": usage}] * n}
        for p, n in ((one, 1), (two, 2))
    ]
    (row,) = summary([deployment("web", 2, 2)], [], [one, two], [], samples=samples)
    assert row["uses"] == {"cpu_millis": 9, "memory_bytes": 30 * 2**20}
