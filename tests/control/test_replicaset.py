"""A ReplicaSet's decisions: so many pods, which go first, adopting and releasing."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from madang.control import replicaset
from madang.control.replicaset import surplus
from madang.ports.actions import Create, Delete, Patch
from tests.control.settle import decided, live, settle, step
from tests.view import House

SETS = "replicasets.apps"


def replica_set(house: House, replicas: int, **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c"}]}}
    given = {"replicas": replicas, "selector": {"matchLabels": {"app": "a"}}, "template": template}
    return house.add(
        SETS,
        {"metadata": {"name": "r", "labels": {"app": "a"}}, "spec": {**given, **spec}, "status": {"replicas": 0}},
    )


def status(house: House) -> dict[str, Any]:
    found = house.objects[(SETS, "default", "r")]["status"]
    return {k: v for k, v in found.items() if k != "observedGeneration"}


def test_pods_are_made_from_the_template() -> None:
    house = House()
    rs = replica_set(house, 2)
    step(replicaset, house, "r")
    assert status(house) == {"replicas": 0, "terminatingReplicas": 0}  # told of what was seen, as recorded
    pods = house.list("pods")
    assert sorted(house.told()) == [f"Normal SuccessfulCreate Created pod: {p['metadata']['name']}" for p in pods]
    meta = pods[0]["metadata"]
    assert meta["generateName"] == "r-" and meta["labels"] == {"app": "a"}
    assert meta["ownerReferences"] == [
        {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": rs["metadata"]["uid"], "controller": True,
         "blockOwnerDeletion": True}
    ]  # fmt: skip
    settle(house, [replicaset])
    assert status(house) == {"replicas": 2, "fullyLabeledReplicas": 2, "terminatingReplicas": 0}


def test_a_dead_or_going_pod_is_replaced_at_once() -> None:
    house = House()
    replica_set(house, 2)
    live(house, [replicaset])
    first, second = (p["metadata"]["name"] for p in house.list("pods"))
    house.finish(first, "Failed")
    house.delete("pods", "default", second)
    settle(house, [replicaset])
    assert sum(1 for p in house.list("pods") if p["status"]["phase"] == "Pending") == 2
    assert status(house)["terminatingReplicas"] == 1


def test_scaling_down_tells_whom_it_deletes() -> None:
    house = House()
    replica_set(house, 2)
    live(house, [replicaset])
    house.events.clear()
    house.change(SETS, "default", "r", {"spec": {"replicas": 1}})
    (gone,) = (a for a in decided(replicaset, house, "r") if isinstance(a, Delete))
    settle(house, [replicaset])
    assert house.told() == [f"Normal SuccessfulDelete Deleted pod: {gone.name}"]
    assert status(house) == {
        "replicas": 1, "fullyLabeledReplicas": 1, "readyReplicas": 1, "availableReplicas": 1, "terminatingReplicas": 1
    }  # fmt: skip


def test_orphans_are_adopted_and_strangers_released() -> None:
    house = House()
    rs = replica_set(house, 1)
    orphan = house.add("pods", {"metadata": {"name": "o", "labels": {"app": "a"}}, "spec": {"containers": []}})
    settle(house, [replicaset])
    assert [p["metadata"]["name"] for p in house.list("pods", owner=rs["metadata"]["uid"])] == ["o"]
    house.change("pods", "default", "o", {"metadata": {"labels": {"app": "b"}}})
    settle(house, [replicaset])
    assert "ownerReferences" not in house.objects[("pods", "default", "o")]["metadata"]
    assert len(house.list("pods")) == 2 and orphan["metadata"]["uid"]


def test_minimum_readiness_wakes_again() -> None:
    house = House()
    replica_set(house, 1, minReadySeconds=10)
    live(house, [replicaset])
    assert "availableReplicas" not in status(house) and 0 < max(house.wakes) <= 10
    house.now += 10
    settle(house, [replicaset])
    assert status(house)["availableReplicas"] == 1


def test_a_refusal_is_told_and_forgotten() -> None:
    house = House()
    replica_set(house, 1)
    (create,) = (a for a in decided(replicaset, house, "r") if isinstance(a, Create))
    told, failed = create.otherwise
    assert told.message == "Error creating: {error}"  # type: ignore[union-attr]
    assert isinstance(failed, Patch)
    house.carry_out([failed])
    assert status(house)["conditions"][0]["type"] == "ReplicaFailure"
    settle(house, [replicaset])
    assert "conditions" not in status(house)


def test_who_goes_first() -> None:
    house = House()

    def pod(name: str, *, phase: str = "Running", ready: bool = True, node: str = "n", cost: str = "", age: int = 100,
            restarts: int = 0) -> dict[str, Any]:  # fmt: skip
        from madang.control.instant import stamp

        return {
            "metadata": {"name": name, "uid": name, "creationTimestamp": stamp(house.now - age),
                         "annotations": {"controller.kubernetes.io/pod-deletion-cost": cost} if cost else {}},
            "spec": {"nodeName": node} if node else {},
            "status": {"phase": phase, "containerStatuses": [{"restartCount": restarts}],
                       "conditions": [{"type": "Ready", "status": str(ready),
                                       "lastTransitionTime": stamp(house.now - age)}]},
        }  # fmt: skip

    expected = [
        pod("unassigned", phase="Pending", ready=False, node=""),
        pod("pending", phase="Pending", ready=False),
        pod("unready", ready=False),
        pod("cheap", cost="-5"),
        pod("crowded", node="m"),
        pod("crowded2", node="m", age=1000),
        pod("young", age=10, node="a"),
        pod("restarted", restarts=3, node="b"),
        pod("steady", node="c"),
        pod("dear", cost="7", node="d"),
    ]
    order = surplus(expected[::-1], expected, len(expected) - 1, house.now)
    assert [p["metadata"]["name"] for p in order] == [p["metadata"]["name"] for p in expected[:-1]]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_interruption_ends_with_the_right_number(data: st.DataObject) -> None:
    house = House(data.draw(st.integers(0, 5)))
    replica_set(house, 3)
    for _ in range(data.draw(st.integers(0, 12))):
        actions = list(decided(replicaset, house, "r"))
        house.carry_out(actions[: data.draw(st.integers(0, len(actions)))])
        match data.draw(st.sampled_from(["scale", "kill", "nothing"])):
            case "scale":
                house.change(SETS, "default", "r", {"spec": {"replicas": data.draw(st.integers(0, 5))}})
            case "kill" if house.list("pods"):
                house.finish(data.draw(st.sampled_from([p["metadata"]["name"] for p in house.list("pods")])), "Failed")
    live(house, [replicaset])
    wanted = house.objects[(SETS, "default", "r")]["spec"]["replicas"]
    assert status(house).get("availableReplicas", 0) == wanted
    assert sum(1 for p in house.list("pods") if p["status"]["phase"] == "Running") == wanted
