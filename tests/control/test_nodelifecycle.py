"""Taints follow conditions; pods leave where a taint drives them out."""

from typing import Any

from madang.control import nodelifecycle, tainteviction
from madang.control.instant import stamp
from tests.control.settle import decided, step
from tests.view import House


def taints(house: House) -> list[str]:
    return [t["key"] for t in house.objects[("nodes", "", "n")]["spec"].get("taints", [])]


def conditions(**statuses: str) -> dict[str, Any]:
    return {"status": {"conditions": [{"type": t, "status": s} for t, s in statuses.items()]}}


def test_taints_follow_conditions() -> None:
    house = House()
    mine = {"key": "mine", "effect": "NoExecute"}
    house.add("nodes", {"metadata": {"name": "n"}, "spec": {"taints": [mine]}})
    step(nodelifecycle, house, "n", "")
    assert taints(house) == ["mine", "node.kubernetes.io/not-ready"]
    house.change("nodes", "", "n", conditions(Ready="True", DiskPressure="False"))
    step(nodelifecycle, house, "n", "")
    assert taints(house) == ["mine"]
    house.change("nodes", "", "n", conditions(Ready="Unknown", DiskPressure="True"))
    house.change("nodes", "", "n", {"spec": {"unschedulable": True}})
    step(nodelifecycle, house, "n", "")
    assert taints(house) == [
        "mine",
        "node.kubernetes.io/disk-pressure",
        "node.kubernetes.io/unreachable",
        "node.kubernetes.io/unreachable",
        "node.kubernetes.io/unschedulable",
    ]
    assert list(decided(nodelifecycle, house, "n", "")) == []


def pod(house: House, name: str, *tolerations: dict[str, Any]) -> None:
    house.add("pods", {"metadata": {"name": name}, "spec": {"tolerations": list(tolerations)}})
    house.start(name)
    house.change("pods", "default", name, {"spec": {"nodeName": "n"}})


def test_pods_leave_where_they_may_not_stay() -> None:
    house = House()
    gone = {"key": "x", "effect": "NoExecute"}
    house.add("nodes", {"metadata": {"name": "n"}, "spec": {}, **conditions(Ready="True")})
    pod(house, "plain")
    pod(house, "stays", {"key": "x", "operator": "Exists"})
    pod(house, "awhile", {"key": "x", "operator": "Exists", "tolerationSeconds": 60})
    house.change("nodes", "", "n", {"spec": {"taints": [gone]}})
    step(nodelifecycle, house, "n", "")
    node = house.objects[("nodes", "", "n")]
    assert node["spec"]["taints"] == [{**gone, "timeAdded": stamp(house.now)}]
    assert [r.name for r in tainteviction.WATCHES["nodes"](node, house)] == ["awhile", "plain", "stays"]

    def going() -> set[str]:
        for name in ("plain", "stays", "awhile"):
            step(tainteviction, house, name)
        return {p["metadata"]["name"] for p in house.list("pods") if "deletionTimestamp" in p["metadata"]}

    assert going() == {"plain"} and house.wakes == [60]
    assert house.told() == ["Normal TaintManagerEviction Marking for deletion Pod default/plain"]
    house.now += 60
    assert going() == {"plain", "awhile"}
    reasons = [c.get("reason") for c in house.objects[("pods", "default", "plain")]["status"]["conditions"]]
    assert reasons[-1] == "DeletionByTaintManager"
