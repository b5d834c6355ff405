"""Taints follow conditions."""

from typing import Any

from madang.control import nodelifecycle
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
        "node.kubernetes.io/unschedulable",
    ]
    assert list(decided(nodelifecycle, house, "n", "")) == []
