"""Start order: gates lifted when what a pod waits for has come true, and told about until then."""

import json
from typing import Any

import pytest

from madang.control import dependency
from tests.control.settle import decided, step
from tests.view import House


def gated(house: House, *wants: tuple[str, str], raw: str = "") -> None:
    rows = [{"service": name, "condition": condition} for name, condition in wants]
    notes = {dependency.DEPENDS_ON: raw or json.dumps(rows)}
    spec = {"schedulingGates": [{"name": "other.example/x"}, {"name": dependency.GATE}], "containers": []}
    house.add("pods", {"metadata": {"name": "p", "annotations": notes}, "spec": spec})


def pod(house: House) -> dict[str, Any]:
    return house.objects[("pods", "default", "p")]


def open_(house: House) -> bool:
    step(dependency, house, "p")
    return pod(house)["spec"]["schedulingGates"] == [{"name": "other.example/x"}]


def deployment(house: House, name: str, **status: Any) -> dict[str, Any]:
    return house.add("deployments.apps", {"metadata": {"name": name}, "spec": {}, "status": status})


def job(house: House, name: str, condition: str) -> None:
    found = {"type": condition, "status": "True", "message": "it broke"}
    house.add("jobs.batch", {"metadata": {"name": name}, "spec": {}, "status": {"conditions": [found]}})


def test_healthy() -> None:
    house = House()
    gated(house, ("db", "healthy"))
    assert not open_(house)
    assert house.told() == [
        "Normal WaitingForDependencies Waiting for db to be healthy (there is no Deployment or Job of that name yet)"
    ]
    deployment(house, "db", replicas=1)
    assert not open_(house) and not open_(house)
    assert house.told()[1:] == ["Normal WaitingForDependencies Waiting for db to be healthy"]
    house.change("deployments.apps", "default", "db", {"status": {"availableReplicas": 1}})
    assert open_(house)
    assert dependency.WAITING_FOR not in pod(house)["metadata"]["annotations"]
    assert list(decided(dependency, house, "p")) == []


def test_started_is_a_running_pod() -> None:
    house = House()
    gated(house, ("db", "started"))
    db = deployment(house, "db")
    above = {"kind": "Deployment", "name": "db", "uid": db["metadata"]["uid"], "controller": True}
    rs = house.add("replicasets.apps", {"metadata": {"name": "r", "ownerReferences": [above]}, "spec": {}})
    owned = [{"kind": "ReplicaSet", "name": "r", "uid": rs["metadata"]["uid"], "controller": True}]
    house.add("pods", {"metadata": {"name": "q", "ownerReferences": owned}, "spec": {}})
    assert not open_(house)
    house.start("q", ready=False)
    woken = dependency.WATCHES["pods"](house.objects[("pods", "default", "q")], house)
    assert [ref.name for ref in woken] == ["p"]
    assert open_(house)


def test_completed_and_failed() -> None:
    house = House()
    gated(house, ("migrate", "completed"), ("seed", "completed"))
    job(house, "migrate", "Complete")
    assert not open_(house)
    job(house, "seed", "Failed")
    assert not open_(house)
    assert house.told("DependencyFailed") == ["Warning DependencyFailed Will not start: job seed has failed (it broke)"]
    house.remove("jobs.batch", "default", "seed")
    job(house, "seed", "Complete")
    assert open_(house)


@pytest.mark.parametrize("raw", ["{", '{"a": 1}', '[{"service": "db", "condition": "happy"}]', "[1]"])
def test_what_cannot_be_read_is_said(raw: str) -> None:
    house = House()
    gated(house, raw=raw)
    assert not open_(house)
    assert house.events[0].reason == "InvalidDependencies"
