"""A ReplicationController does what a ReplicaSet does, by a map of labels."""

from typing import Any

from madang.control import replicationcontroller as controller
from tests.control.settle import decided, step
from tests.view import House

KIND = "replicationcontrollers"


def add(house: House, replicas: int) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "a", "tier": "x"}}, "spec": {"containers": [{"name": "c"}]}}
    spec = {"replicas": replicas, "selector": {"app": "a"}, "template": template}
    return house.add(KIND, {"metadata": {"name": "r"}, "spec": spec, "status": {"replicas": 0}})


def test_it_keeps_the_number_of_its_pods() -> None:
    house = House()
    add(house, 2)
    step(controller, house, "r")
    pods = house.list("pods")
    assert [p["metadata"]["generateName"] for p in pods] == ["r-", "r-"]
    (owner,) = pods[0]["metadata"]["ownerReferences"]
    assert (owner["apiVersion"], owner["kind"], owner["controller"]) == ("v1", "ReplicationController", True)
    step(controller, house, "r")
    status = house.objects[(KIND, "default", "r")]["status"]
    assert status["replicas"] == 2 and status["fullyLabeledReplicas"] == 2 and "terminatingReplicas" not in status
    house.change(KIND, "default", "r", {"spec": {"replicas": 1}})
    step(controller, house, "r")
    assert sum("deletionTimestamp" not in p["metadata"] for p in house.list("pods")) == 1


def test_an_orphan_that_fits_is_adopted() -> None:
    house = House()
    add(house, 1)
    labels = {"app": "a", "more": "b"}
    orphan = house.add("pods", {"metadata": {"name": "o", "labels": labels}, "spec": {}, "status": {}})
    assert [ref.name for ref in controller.wake_of_pod(orphan, house)] == ["r"]
    step(controller, house, "r")
    (found,) = house.list("pods")
    assert found["metadata"]["ownerReferences"][0]["name"] == "r"
    assert [ref.name for ref in controller.wake_of_pod(found, house)] == ["r"]
    stranger = {"metadata": {"name": "s", "namespace": "default", "labels": {"app": "b"}}, "spec": {}}
    assert list(controller.wake_of_pod(stranger, house)) == []
    assert decided(controller, house, "gone") == []
