"""Taints follow conditions; pods leave where a taint drives them out."""

from collections.abc import AsyncIterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from madang.control import tainteviction
from madang.control.instant import stamp
from madang.control.nodelifecycle import NodeLifecycle
from madang.ports.actions import Wake
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
    node(house, "other")
    step(NodeLifecycle(None), house, "n", "")
    assert taints(house) == ["mine", "node.kubernetes.io/not-ready"]
    house.change("nodes", "", "n", conditions(Ready="True", DiskPressure="False"))
    step(NodeLifecycle(None), house, "n", "")
    assert taints(house) == ["mine"]
    house.change("nodes", "", "n", conditions(Ready="Unknown", DiskPressure="True"))
    house.change("nodes", "", "n", {"spec": {"unschedulable": True}})
    step(NodeLifecycle(None), house, "n", "")
    assert taints(house) == [
        "mine",
        "node.kubernetes.io/disk-pressure",
        "node.kubernetes.io/unreachable",
        "node.kubernetes.io/unreachable",
        "node.kubernetes.io/unschedulable",
    ]
    assert [type(a) for a in decided(NodeLifecycle(None), house, "n", "")] == [Wake]


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
    step(NodeLifecycle(None), house, "n", "")
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


def test_a_taint_without_a_time_counts_from_its_write_or_from_the_pods_beginning() -> None:
    house = House()
    taint = {"key": "k", "effect": "NoExecute"}
    owned = {"time": stamp(house.now - 5), "fieldsV1": {"f:spec": {"f:taints": {}}}}
    later = {"time": stamp(house.now), "fieldsV1": {"f:metadata": {}}}
    house.add("nodes", {"metadata": {"name": "n", "managedFields": [owned, later]}, "spec": {"taints": [taint]}})
    stays = {"key": "k", "operator": "Exists", "tolerationSeconds": 20}
    for name, age in (("old", 100), ("young", 2)):
        meta = {"name": name, "namespace": "default", "creationTimestamp": stamp(house.now - age)}
        house.add("pods", {"metadata": meta, "spec": {"nodeName": "n", "tolerations": [stays]}})
    for name in ("old", "young"):
        step(tainteviction, house, name)
    assert house.wakes == [15, 18]


class Answers:
    """Whose agents answer: everybody's but those of `silent`; none of `foreign`."""

    def __init__(self, *silent: str, foreign: tuple[str, ...] = ()) -> None:
        self.gone, self.foreign = set(silent), foreign

    def silent(self, node: str) -> bool | None:
        return None if node in self.foreign else node in self.gone

    async def changes(self) -> AsyncIterator[str]:
        yield ""


GOOD = dict.fromkeys(("MemoryPressure", "DiskPressure", "PIDPressure"), "False") | {"Ready": "True"}


def node(house: House, name: str, **statuses: str) -> None:
    heard = stamp(house.now)
    found = [{"type": t, "status": s, "lastHeartbeatTime": heard} for t, s in (statuses or GOOD).items()]
    house.add("nodes", {"metadata": {"name": name}, "spec": {}, "status": {"conditions": found}})


def taints_of(house: House, name: str) -> list[tuple[str, str]]:
    found = house.objects[("nodes", "", name)]["spec"].get("taints") or ()
    return [(t["key"].rpartition("/")[2], t["effect"]) for t in found]


def rest(house: House, answers: Answers, *names: str) -> None:
    for _ in range(4):
        for name in names:
            step(NodeLifecycle(answers), house, name, "")


def test_a_silent_node_is_unknown_its_pods_unready_and_driven_out() -> None:
    house = House()
    node(house, "n")
    node(house, "m")
    pod(house, "p")
    house.now += 7
    rest(house, Answers("n"), "n", "m")
    found = house.objects[("nodes", "", "n")]["status"]["conditions"]
    assert [(c["type"], c["status"], c["reason"]) for c in found] == [
        (t, "Unknown", "NodeStatusUnknown") for t in ("MemoryPressure", "DiskPressure", "PIDPressure", "Ready")
    ]
    assert found[-1]["message"] == "Kubelet stopped posting node status."
    assert found[-1]["lastHeartbeatTime"] == stamp(house.now - 7)
    assert found[-1]["lastTransitionTime"] == stamp(house.now)
    assert taints_of(house, "n") == [("unreachable", "NoExecute"), ("unreachable", "NoSchedule")]
    assert taints_of(house, "m") == []
    ready = house.objects[("pods", "default", "p")]["status"]["conditions"][0]
    assert ready == {"type": "Ready", "status": "False", "lastTransitionTime": stamp(house.now)}
    assert house.told() == ["Normal NodeNotReady Node n status is now: NodeNotReady",
                            "Warning NodeNotReady Node is not ready"]  # fmt: skip
    house.change("nodes", "", "n", conditions(**GOOD))
    rest(house, Answers(), "n")
    assert taints_of(house, "n") == []


def test_where_no_node_is_left_nobody_is_driven_out() -> None:
    house = House()
    for name in ("n", "m"):
        node(house, name)
    rest(house, Answers("n"), "n", "m")
    assert ("unreachable", "NoExecute") in taints_of(house, "n")
    rest(house, Answers("n", "m"), "n", "m")
    assert taints_of(house, "n") == taints_of(house, "m") == [("unreachable", "NoSchedule")]


def test_when_most_are_gone_no_more_are_driven_out() -> None:
    house = House()
    names = [f"n{i}" for i in range(5)]
    for name in names:
        node(house, name)
    rest(house, Answers("n0"), *names)
    rest(house, Answers("n0", "n1"), *names)
    rest(house, Answers("n0", "n1", "n2"), *names)
    driving = {name for name in names if ("unreachable", "NoExecute") in taints_of(house, name)}
    assert driving == {"n0", "n1"}  # the third was one too many


def test_a_node_of_somebody_else_speaks_by_its_lease() -> None:
    house, answers = House(), Answers(foreign=("n",))
    node(house, "n", Ready="True")
    lease = {"metadata": {"name": "n", "namespace": "kube-node-lease"}, "spec": {"renewTime": stamp(house.now + 30)}}
    house.add("leases.coordination.k8s.io", lease)
    assert list(decided(NodeLifecycle(answers), house, "n", "")) == [Wake(80.0)]
    house.now += 79
    assert list(decided(NodeLifecycle(answers), house, "n", "")) == [Wake(1.0)]
    house.now += 1
    rest(house, answers, "n")
    found = {c["type"]: (c["status"], c["reason"]) for c in house.objects[("nodes", "", "n")]["status"]["conditions"]}
    assert found["Ready"] == ("Unknown", "NodeStatusUnknown")
    assert found["DiskPressure"] == ("Unknown", "NodeStatusNeverUpdated")


def test_a_node_that_nobody_runs_is_never_heard_of() -> None:
    house, answers = House(), Answers(foreign=("n",))
    house.add("nodes", {"metadata": {"name": "n"}, "spec": {}})
    step(NodeLifecycle(answers), house, "n", "")
    assert taints_of(house, "n") == [("not-ready", "NoSchedule")] and 60.0 in house.wakes
    house.now += 60
    rest(house, answers, "n")
    (ready,) = [c for c in house.objects[("nodes", "", "n")]["status"]["conditions"] if c["type"] == "Ready"]
    assert (ready["status"], ready["message"]) == ("Unknown", "Kubelet never posted node status.")
    assert taints_of(house, "n") == [("unreachable", "NoSchedule")]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 20)), max_size=12), st.data())
def test_whatever_answers_and_falls_silent_it_comes_to_rest(
    history: list[tuple[int, bool, int]], data: st.DataObject
) -> None:
    """Any prefix of any decision, then all of them: silent nodes are Unknown, their pods unready, taints as meant."""
    house, answers = House(), Answers()
    names = [f"n{i}" for i in range(5)]
    for name in names:
        node(house, name)
        house.add("pods", {"metadata": {"name": f"p-{name}"}, "spec": {}})
        house.start(f"p-{name}")
        house.change("pods", "default", f"p-{name}", {"spec": {"nodeName": name}})
    controller = NodeLifecycle(answers)
    for which, silent, pause in history:
        name = names[which]
        if silent:
            answers.gone.add(name)
        elif name in answers.gone:  # its agent is back, and says so
            answers.gone.discard(name)
            house.change("nodes", "", name, conditions(**GOOD))
        actions = list(decided(controller, house, name, ""))
        house.carry_out(actions[: data.draw(st.integers(0, len(actions)))])
        house.now += pause
    rest(house, answers, *names)
    for name in names:
        assert all(isinstance(a, Wake) for a in decided(controller, house, name, ""))
        silent = name in answers.gone
        (ready,) = [c for c in house.objects[("nodes", "", name)]["status"]["conditions"] if c["type"] == "Ready"]
        assert (ready["status"] == "Unknown") == silent
        assert (("unreachable", "NoSchedule") in taints_of(house, name)) == silent
        if silent:
            conditions_of = house.objects[("pods", "default", f"p-{name}")]["status"]["conditions"]
            assert conditions_of[0]["status"] == "False"
    if len(answers.gone) == len(names):
        assert not any(effect == "NoExecute" for name in names for _, effect in taints_of(house, name))
    elif len(answers.gone) <= 2:
        assert all(("unreachable", "NoExecute") in taints_of(house, name) for name in answers.gone)
