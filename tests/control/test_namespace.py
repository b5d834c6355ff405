"""Namespaces: furnished while they live, emptied and let go when deleted; pods without node; old Events."""

from madang.control import eventttl
from madang.control.instant import stamp
from madang.control.namespace import NamespaceController
from madang.ports.actions import Replace
from tests.control.settle import decided, step
from tests.view import House

CONTROLLER = NamespaceController("PEM")


def test_every_namespace_is_furnished() -> None:
    house = House()
    house.add("namespaces", {"metadata": {"name": "n"}, "spec": {"finalizers": ["kubernetes"]}})
    step(CONTROLLER, house, "n", "")
    assert house.objects[("configmaps", "n", "kube-root-ca.crt")]["data"] == {"ca.crt": "PEM"}
    assert ("serviceaccounts", "n", "default") in house.objects
    house.change("configmaps", "n", "kube-root-ca.crt", {"data": {"ca.crt": "old"}})
    step(CONTROLLER, house, "n", "")
    assert house.objects[("configmaps", "n", "kube-root-ca.crt")]["data"] == {"ca.crt": "PEM"}
    assert list(decided(CONTROLLER, house, "n", "")) == []


def test_a_deleted_namespace_is_emptied_then_finalized() -> None:
    house = House()
    house.add("namespaces", {"metadata": {"name": "n", "finalizers": ["hold"]}, "spec": {"finalizers": ["kubernetes"]},
                             "status": {"phase": "Active"}})  # fmt: skip
    step(CONTROLLER, house, "n", "")
    house.add("pods", {"metadata": {"name": "p", "namespace": "n", "finalizers": ["x/y"]}, "spec": {}})
    house.delete("namespaces", "", "n")
    for _ in range(3):
        step(CONTROLLER, house, "n", "")
    assert {kind for kind, ns, _ in house.objects if ns == "n"} == {"pods"}
    conditions = {c["type"]: c for c in house.objects[("namespaces", "", "n")]["status"]["conditions"]}
    assert conditions["NamespaceContentRemaining"]["message"] == (
        "Some resources are remaining: pods. has 1 resource instances"
    )
    assert conditions["NamespaceFinalizersRemaining"]["message"] == (
        "Some content in the namespace has finalizers remaining: x/y in 1 resource instances"
    )
    house.remove("pods", "n", "p")
    step(CONTROLLER, house, "n", "")
    status = house.objects[("namespaces", "", "n")]["status"]
    assert status["phase"] == "Terminating"
    assert [(c["type"], c["status"], c["reason"]) for c in status["conditions"]][3:] == [
        ("NamespaceContentRemaining", "False", "ContentRemoved"),
        ("NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers"),
    ]
    (last,) = decided(CONTROLLER, house, "n", "")
    assert isinstance(last, Replace) and last.subresource == "finalize" and last.obj["spec"]["finalizers"] == []


def test_events_live_an_hour() -> None:
    house = House()
    house.add("events", {"metadata": {"name": "e"}, "lastTimestamp": stamp(house.now)})
    house.now += 3000
    step(eventttl, house, "e")
    assert house.wakes == [600]
    house.now += 600
    step(eventttl, house, "e")
    assert house.list("events") == []
