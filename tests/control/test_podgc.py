"""Pods whose node is gone go too, but only when it stays away; and those of a node that is out of service for good."""

from madang.control.podgc import OUT_OF_SERVICE, QUARANTINE_S, PodCollector
from madang.ports.actions import Wake
from madang.ports.objects import Obj
from tests.control.settle import decided, settle, step
from tests.view import House


def house_with_a_pod() -> tuple[House, PodCollector, Obj]:
    house, collector = House(), PodCollector()
    node = house.add("nodes", {"metadata": {"name": "node-1"}})
    house.add("pods", {"metadata": {"name": "p"}, "spec": {}})
    house.start("p")
    settle(house, [collector])
    return house, collector, node


def test_pods_of_a_vanished_node_go_after_a_while() -> None:
    house, collector, node = house_with_a_pod()
    house.remove("nodes", "", "node-1")
    assert [r.name for r in collector.WATCHES["nodes"](node, house)] == ["p"]
    assert list(decided(collector, house, "p")) == [Wake(QUARANTINE_S)]
    house.now += QUARANTINE_S
    failed, deleted = decided(collector, house, "p")
    assert failed.patch["status"]["message"] == "PodGC: node node-1 no longer exists"  # type: ignore[union-attr]
    house.carry_out([failed, deleted])
    assert house.list("pods") == []


def test_pods_of_a_node_that_registers_again_stay() -> None:
    house, collector, node = house_with_a_pod()
    house.remove("nodes", "", "node-1")
    step(collector, house, "p")
    house.now += 1
    house.add("nodes", node)
    step(collector, house, "p")
    house.remove("nodes", "", "node-1")
    house.now += QUARANTINE_S - 0.5
    assert list(decided(collector, house, "p")) == [Wake(QUARANTINE_S)]  # it counts from now


def test_a_node_that_came_back_unseen_is_waited_for_anew() -> None:
    """Its pod had gone before, so nobody asked about it while the node was there."""
    house, collector, node = house_with_a_pod()
    house.remove("nodes", "", "node-1")
    step(collector, house, "p")
    house.remove("pods", "default", "p")
    house.now += 1
    house.add("nodes", node)
    step(collector, house, "p")
    house.now += 3600
    house.add("pods", {"metadata": {"name": "q"}, "spec": {}})
    house.start("q")
    house.remove("nodes", "", "node-1")
    assert list(decided(collector, house, "q")) == [Wake(QUARANTINE_S)]


def test_a_clock_that_was_set_back_keeps_nobody() -> None:
    house, collector, _ = house_with_a_pod()
    house.remove("nodes", "", "node-1")
    step(collector, house, "p")
    house.now -= 86400
    step(collector, house, "p")
    assert house.list("pods") == []


def test_what_cannot_end_on_a_node_out_of_service_is_let_go() -> None:
    house, collector, _ = house_with_a_pod()
    house.change("nodes", "", "node-1", {"spec": {"taints": [{"key": OUT_OF_SERVICE, "effect": "NoExecute"}]}})
    step(collector, house, "p")
    assert [p["metadata"]["name"] for p in house.list("pods")] == ["p"]  # nobody has said that it is to go
    house.delete("pods", "default", "p")
    ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    house.change("nodes", "", "node-1", ready)
    assert list(decided(collector, house, "p")) == []  # its agent is there, and ends it in order
    house.change("nodes", "", "node-1", {"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}})
    step(collector, house, "p")
    assert house.list("pods") == []
