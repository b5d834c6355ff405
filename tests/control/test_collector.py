"""Garbage collection: in the background, in the foreground, orphaning; several owners; unknown owners."""

from typing import Any

from madang.control import collector
from madang.control.controller import Ref
from madang.ports.actions import Delete, Wake
from tests.view import House

DEPLOYMENTS, SETS = "deployments.apps", "replicasets.apps"
KINDS = {"apps/v1 Deployment": DEPLOYMENTS, "apps/v1 ReplicaSet": SETS, "v1 Pod": "pods", "v1 ConfigMap": "configmaps"}


def make(house: House, kind: str, name: str, *owners: dict[str, Any], block: bool = True) -> dict[str, Any]:
    api_version, word = next(k for k, v in KINDS.items() if v == kind).split(" ")
    references = [
        {"apiVersion": o["apiVersion"], "kind": o["kind"], "name": o["metadata"]["name"], "uid": o["metadata"]["uid"],
         "blockOwnerDeletion": block}
        for o in owners
    ]  # fmt: skip
    meta = {"name": name, **({"ownerReferences": references} if references else {})}
    return house.add(kind, {"apiVersion": api_version, "kind": word, "metadata": meta, "spec": {}})


def collect(house: House) -> None:
    """Everything decided until nothing is wanted. A foreground deletion gets its finalizer, as the API does it."""
    for _ in range(20):
        wanted = False
        for kind, namespace, name in sorted(house.objects):
            ref = Ref(namespace, f"{kind}/{name}")
            for action in collector.decide(ref, house, house.now, house.chance):
                wanted = wanted or not isinstance(action, Wake)
                if isinstance(action, Delete) and action.propagation == "Foreground":
                    house.change(kind, namespace, name, {"metadata": {"finalizers": [collector.FOREGROUND]}})
                house.carry_out([action])
        if not wanted:
            return
    raise AssertionError("did not settle")


def names(house: House) -> set[str]:
    return {name for _, _, name in house.objects}


def tree(house: House) -> dict[str, Any]:
    d = make(house, DEPLOYMENTS, "d")
    rs = make(house, SETS, "rs", d)
    make(house, "pods", "p", rs)
    make(house, "configmaps", "other")
    return d


def test_background_goes_down_the_tree() -> None:
    house = House()
    tree(house)
    collect(house)
    assert names(house) == {"d", "rs", "p", "other"}
    house.remove(DEPLOYMENTS, "default", "d")
    collect(house)
    assert names(house) == {"other"}


def test_a_new_object_of_the_same_name_owns_nothing() -> None:
    house = House()
    tree(house)
    house.remove(DEPLOYMENTS, "default", "d")
    make(house, DEPLOYMENTS, "d")
    collect(house)
    assert names(house) == {"d", "other"}


def test_foreground_waits_for_the_dependents() -> None:
    house = House()
    tree(house)
    house.change(DEPLOYMENTS, "default", "d", {"metadata": {"finalizers": [collector.FOREGROUND]}})
    house.change("pods", "default", "p", {"metadata": {"finalizers": ["x/hold"]}})
    house.delete(DEPLOYMENTS, "default", "d")
    collect(house)
    assert names(house) == {"d", "rs", "p", "other"}
    assert all("deletionTimestamp" in o["metadata"] for (_, _, n), o in house.objects.items() if n != "other")
    house.remove("pods", "default", "p")
    collect(house)
    assert names(house) == {"other"}


def test_what_does_not_block_is_not_waited_for() -> None:
    house = House()
    d = make(house, DEPLOYMENTS, "d")
    make(house, SETS, "rs", d, block=False)
    house.change(DEPLOYMENTS, "default", "d", {"metadata": {"finalizers": [collector.FOREGROUND]}})
    house.change(SETS, "default", "rs", {"metadata": {"finalizers": ["x/hold"]}})
    house.delete(DEPLOYMENTS, "default", "d")
    collect(house)
    assert names(house) == {"rs"}


def test_orphans_stay() -> None:
    house = House()
    tree(house)
    house.change(DEPLOYMENTS, "default", "d", {"metadata": {"finalizers": [collector.ORPHAN]}})
    house.delete(DEPLOYMENTS, "default", "d")
    collect(house)
    assert names(house) == {"rs", "p", "other"}
    assert "ownerReferences" not in house.objects[(SETS, "default", "rs")]["metadata"]


def test_one_of_two_owners_gone() -> None:
    house = House()
    one, two = make(house, DEPLOYMENTS, "one"), make(house, DEPLOYMENTS, "two")
    make(house, SETS, "rs", one, two)
    house.remove(DEPLOYMENTS, "default", "one")
    collect(house)
    left = house.objects[(SETS, "default", "rs")]["metadata"]["ownerReferences"]
    assert [r["name"] for r in left] == ["two"]


def test_an_owner_of_an_unknown_kind_is_trusted() -> None:
    house = House()
    foreign = {"apiVersion": "x.example/v1", "kind": "Thing", "metadata": {"name": "t", "uid": "u"}}
    make(house, "configmaps", "c", foreign)
    collect(house)
    assert names(house) == {"c"}


def test_a_deletion_wakes_the_dependents_and_the_waiting_owner() -> None:
    house = House()
    d = tree(house)
    house.remove(DEPLOYMENTS, "default", "d")
    assert list(collector.WATCHES[DEPLOYMENTS](d, house)) == [Ref("default", f"{SETS}/rs")]
    rs = house.objects[(SETS, "default", "rs")]
    house.change(SETS, "default", "rs", {"metadata": {"finalizers": [collector.FOREGROUND], "deletionTimestamp": "x"}})
    p = house.objects[("pods", "default", "p")]
    house.remove("pods", "default", "p")
    assert list(collector.WATCHES["pods"](p, house)) == [Ref("default", f"{SETS}/rs")] and rs
