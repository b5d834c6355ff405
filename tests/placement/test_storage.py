"""Claims decide where a pod may go, and a pod's place decides what its claims get."""

from typing import Any

import pytest

from madang.kinds import claims as c
from madang.placement.decision import HOPE, Awaiting, Placed, Refused, decide
from madang.placement.tally import Tally
from madang.ports.objects import Key, Obj
from tests.placement.test_decision import house, node, pod

AFTER = f" {HOPE}0/1 nodes are available: 1 Preemption is not helpful for scheduling."


def hear(tally: Tally, kind: str, obj: Obj) -> Obj:
    meta = obj["metadata"]
    meta.setdefault("uid", meta["name"])
    tally.storage.hear(Key(kind, meta.get("namespace", ""), meta["name"]), obj)
    return obj


def claim(tally: Tally, name: str = "data", volume: str = "", class_: str = "late", **more: Any) -> Obj:
    notes = {c.BIND_COMPLETED: "yes"} if volume else {}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "volumeName": volume,
            "storageClassName": class_}  # fmt: skip
    obj = {"metadata": {"name": name, "namespace": "default", "annotations": notes}, "spec": spec | more,
           "status": {"phase": "Bound" if volume else "Pending"}}  # fmt: skip
    return hear(tally, c.CLAIMS, obj)


def volume(tally: Tally, name: str, on: str = "", class_: str = "late") -> Obj:
    spec: Obj = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "storageClassName": class_}
    if on:
        rule = {"key": "kubernetes.io/hostname", "operator": "In", "values": [on]}
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": [rule]}]}}
    return hear(tally, c.VOLUMES, {"metadata": {"name": name}, "spec": spec, "status": {"phase": "Available"}})


def class_(tally: Tally, name: str = "late", provisioner: str = c.PROVISIONER, late: bool = True) -> None:
    mode = "WaitForFirstConsumer" if late else "Immediate"
    hear(tally, c.CLASSES, {"metadata": {"name": name}, "provisioner": provisioner, "volumeBindingMode": mode})


def user(name: str = "p", claim: str = "data") -> Obj:
    return pod(name, volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": claim}}])


def why(tally: Tally, one: Obj) -> str:
    (found,) = decide(tally, [one])
    assert isinstance(found, Refused)
    return found.message


def test_a_claim_that_is_not_there_or_not_bound_holds_its_pod_back() -> None:
    tally = house(node("a"))
    assert why(tally, user()) == '0/1 nodes are available: persistentvolumeclaim "data" not found.' + AFTER
    class_(tally, late=False)
    obj = claim(tally)
    assert why(tally, user()) == "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims." + AFTER
    obj["metadata"]["deletionTimestamp"] = "2030-01-01T00:00:00Z"
    assert why(tally, user()) == '0/1 nodes are available: persistentvolumeclaim "data" is being deleted.' + AFTER
    brought = pod("p", volumes=[{"name": "v", "ephemeral": {"volumeClaimTemplate": {}}}])
    assert 'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-v"' in why(tally, brought)


def test_a_pod_goes_where_its_volume_can_be_reached() -> None:
    tally = house(node("a"), node("b"))
    volume(tally, "v", on="b")
    claim(tally, volume="v")
    (found,) = decide(tally, [user()])
    assert isinstance(found, Placed) and found.node == "b"
    tally.set_node(node("b", unschedulable=True))
    assert "1 node(s) didn't match PersistentVolume's node affinity, 1 node(s) were unschedulable" in why(
        tally, user("q")
    )


@pytest.mark.parametrize("provisioner", [c.PROVISIONER, c.NO_PROVISIONER])
def test_a_claim_that_waits_is_given_what_the_node_reaches(provisioner: str) -> None:
    tally = house(node("a", unschedulable=True), node("b"))
    class_(tally, provisioner=provisioner)
    claim(tally, "data")
    claim(tally, "more")
    volume(tally, "far", on="a")
    volume(tally, "near", on="b")
    first, second = decide(tally, [user("p", "data"), user("q", "more")])
    assert isinstance(first, Awaiting) and first.node == "b"
    (given,) = first.actions
    assert (given.kind, given.name) == (c.VOLUMES, "near")  # type: ignore[union-attr]
    assert given.patch["spec"]["claimRef"]["name"] == "data"  # type: ignore[union-attr]
    if provisioner == c.NO_PROVISIONER:  # the only one is taken, though it does not say so itself yet
        assert isinstance(second, Refused)
        assert "1 node(s) didn't find available persistent volumes to bind" in second.message
    else:
        assert isinstance(second, Awaiting)
        assert second.actions[0].patch == {  # type: ignore[union-attr]
            "metadata": {"annotations": {c.SELECTED_NODE: "b"}}
        }


def test_a_claim_for_one_pod_only_is_not_shared() -> None:
    tally = house(node("a"), node("b"))
    volume(tally, "v")
    claim(tally, volume="v", accessModes=["ReadWriteOncePod"])
    (first,) = decide(tally, [user()])
    assert isinstance(first, Placed)
    assert "2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode" in why(
        tally, user("q")
    )
