"""Any decision cut short anywhere and made again comes to the same end: collector, namespaces, pods without node."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from madang.control import collector, dependency, nodelifecycle
from madang.control.controller import Ref
from madang.control.namespace import NamespaceController
from madang.control.nodelifecycle import NodeLifecycle
from madang.control.podgc import QUARANTINE_S, PodCollector
from madang.ports.actions import Action, Replace, Wake
from tests.view import House


def cut(house: House, actions: list[Action], data: st.DataObject, *, whole: bool = False) -> None:
    """Carries out a beginning of the list."""
    house.carry_out(actions if whole else actions[: data.draw(st.integers(0, len(actions)))])


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(2, 10))
def test_the_collector_keeps_exactly_what_is_owned_by_something_living(data: st.DataObject, size: int) -> None:
    house = House(data.draw(st.integers(0, 9)))
    owners: dict[str, list[str]] = {}
    for i in range(size):
        chosen = data.draw(st.lists(st.sampled_from(sorted(owners)), unique=True, max_size=2)) if owners else []
        references = [
            {"apiVersion": "v1", "kind": "ConfigMap", "name": o,
             "uid": house.objects[("configmaps", "default", o)]["metadata"]["uid"]}
            for o in chosen
        ]  # fmt: skip
        meta: dict[str, Any] = {"name": f"c{i}", **({"ownerReferences": references} if references else {})}
        house.add("configmaps", {"metadata": meta, "spec": {}})
        owners[f"c{i}"] = chosen
    for name in data.draw(st.lists(st.sampled_from(sorted(owners)), unique=True, max_size=3)):
        house.remove("configmaps", "default", name)
        del owners[name]
    alive: set[str] = set()
    while True:
        more = {n for n, above in owners.items() if n not in alive and (not above or alive & set(above))}
        if not more:
            break
        alive |= more
    for _ in range(5):
        for _, _, name in sorted(house.objects):
            cut(
                house,
                list(collector.decide(Ref("default", f"configmaps/{name}"), house, house.now, house.chance)),
                data,
            )
    while any(
        cut_whole(house, list(collector.decide(Ref("default", f"configmaps/{name}"), house, house.now, house.chance)))
        for _, _, name in sorted(house.objects)
    ):
        pass
    assert {name for _, _, name in house.objects} == alive


def cut_whole(house: House, actions: list[Action]) -> bool:
    house.carry_out(actions)
    return bool(actions)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_namespace_empties_and_ends_whatever_is_interrupted(data: st.DataObject) -> None:
    house, controller = House(data.draw(st.integers(0, 9))), NamespaceController("PEM")
    house.add("namespaces", {"metadata": {"name": "n", "finalizers": ["hold"]}, "spec": {"finalizers": ["kubernetes"]}})
    for i in range(data.draw(st.integers(0, 6))):
        held = {"finalizers": ["x/y"]} if data.draw(st.booleans()) else {}
        house.add("configmaps", {"metadata": {"name": f"c{i}", "namespace": "n", **held}})
    house.delete("namespaces", "", "n")
    for turn in range(20):
        actions = list(controller.decide(Ref("", "n"), house, house.now, house.chance))
        if actions and isinstance(actions[-1], Replace):
            assert not [k for k in house.objects if k[1] == "n"]
            return
        cut(house, actions, data, whole=turn > 8)
        for kind, namespace, name in list(house.objects):
            if namespace == "n" and "deletionTimestamp" in house.objects[(kind, namespace, name)]["metadata"]:
                house.remove(kind, namespace, name)  # whose finalizer it was has done its work
    raise AssertionError("the namespace never ended")


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_small_controllers_come_to_rest(data: st.DataObject) -> None:
    house = House(data.draw(st.integers(0, 9)))
    taints = data.draw(st.lists(st.sampled_from(sorted(nodelifecycle.OURS)), unique=True))
    ready = {"type": "Ready", "status": data.draw(st.sampled_from(["True", "False", "Unknown"]))}
    house.add("nodes", {"metadata": {"name": "n"}, "status": {"conditions": [ready]},
                        "spec": {"taints": [{"key": key, "effect": effect} for key, effect in taints]}})  # fmt: skip
    house.add("pods", {"metadata": {"name": "lost"}, "spec": {"nodeName": "gone"}, "status": {"phase": "Running"}})
    house.add("pods", {"metadata": {"name": "gated"}, "spec": {"schedulingGates": [{"name": dependency.GATE}]}})
    keys: list[tuple[Any, Ref]] = [
        (NodeLifecycle(None), Ref("", "n")),
        (PodCollector(), Ref("default", "lost")),
        (dependency, Ref("default", "gated")),
    ]
    for turn in range(6):
        house.now += QUARANTINE_S
        for controller, ref in keys:
            cut(house, list(controller.decide(ref, house, house.now, house.chance)), data, whole=turn > 3)
        for name in [p["metadata"]["name"] for p in house.list("pods") if "deletionTimestamp" in p["metadata"]]:
            house.remove("pods", "default", name)
    for controller, ref in keys:
        assert all(isinstance(a, Wake) for a in controller.decide(ref, house, house.now, house.chance))
    # Nothing drives pods out of the only node: there is nowhere to go.
    assert nodelifecycle.meant(house.objects[("nodes", "", "n")]) - nodelifecycle.DRIVING == {
        (t["key"], t["effect"]) for t in house.objects[("nodes", "", "n")]["spec"].get("taints", [])
    }
    assert house.list("pods")[0]["metadata"]["name"] == "gated"
