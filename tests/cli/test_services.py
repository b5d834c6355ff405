"""One row a service, from objects as the API gives them."""

from typing import Any

from madang.cli.services import summary, why_not


def deployment(name: str, replicas: int, ready: int) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"replicas": replicas},
        "status": {"readyReplicas": ready},
    }


def pod(owner: str, **status: Any) -> dict[str, Any]:
    owners = [{"kind": "ReplicaSet", "name": f"{owner}-abc12"}]
    return {"metadata": {"name": f"{owner}-abc12-x", "namespace": "shop", "ownerReferences": owners}, "status": status}


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
    assert why_not([pod("a", conditions=[unplaced])]) == "0/1 nodes are available: 1 Insufficient cpu."


def test_published_addresses() -> None:
    service = {
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"ports": [{"port": 8080}]},
        "status": {"loadBalancer": {"ingress": [{"ip": "127.0.0.1", "ports": [{"port": 8080, "protocol": "TCP"}]}]}},
    }
    (row,) = summary([deployment("web", 1, 1)], [], [], [service])
    assert row["addresses"] == ["127.0.0.1:8080"]
