"""Claims find volumes, or have folders made for them; volumes follow their claims' fate."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madang.api.always import standard_class
from madang.control.storage import volume as volumes
from madang.control.storage.claim import ClaimBinder
from madang.control.storage.protection import ClaimProtection, VolumeProtection
from madang.kinds import claims as c
from madang.ports.objects import Obj
from tests.control.settle import settle
from tests.view import House

LOOPS = [ClaimBinder("/home/volumes"), volumes, ClaimProtection(), VolumeProtection()]


def house() -> House:
    house = House()
    house.add(c.CLASSES, standard_class())
    return house


def claim(house: House, name: str = "data", size: str = "1Gi", class_: str = "", **spec: Any) -> Obj:
    body = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}},
            "volumeMode": "Filesystem", "storageClassName": class_, **spec}  # fmt: skip
    return house.add(c.CLAIMS, {"metadata": {"name": name}, "spec": body, "status": {"phase": "Pending"}})


def volume(house: House, name: str, size: str = "1Gi", class_: str = "", **spec: Any) -> Obj:
    body = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": size}, "volumeMode": "Filesystem",
            "storageClassName": class_, "hostPath": {"path": f"/srv/{name}"},
            "persistentVolumeReclaimPolicy": "Retain", **spec}  # fmt: skip
    return house.add(c.VOLUMES, {"metadata": {"name": name}, "spec": body, "status": {"phase": "Pending"}})


def phase(house: House, kind: str, name: str) -> str:
    found = house.get(kind, "default" if kind == c.CLAIMS else "", name)
    return "gone" if found is None else str(found["status"]["phase"])


def told(house: House) -> list[tuple[str, str]]:
    return [(e.reason, e.message) for e in house.events]


def test_the_smallest_volume_that_fits_is_taken() -> None:
    h = house()
    volume(h, "large", "5Gi")
    volume(h, "small", "2Gi")
    volume(h, "tiny", "1Gi")
    volume(h, "other", "2Gi", "fast")
    settle(h, LOOPS[1:])
    claim(h, size="2Gi")
    settle(h, LOOPS)
    found = h.get(c.CLAIMS, "default", "data")
    assert found is not None
    assert found["spec"]["volumeName"] == "small"
    assert found["status"] == {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "2Gi"}}
    assert found["metadata"]["annotations"] == {c.BIND_COMPLETED: "yes", c.BY_CONTROLLER: "yes"}
    assert phase(h, c.VOLUMES, "small") == "Bound"
    assert phase(h, c.VOLUMES, "large") == "Available"


def test_a_claim_without_class_or_volume_waits_and_says_so() -> None:
    h = house()
    claim(h)
    h.carry_out(LOOPS[0].decide(_ref("data"), h, h.now, h.chance))  # type: ignore[attr-defined]
    assert told(h) == [
        ("FailedBinding", "no persistent volumes available for this claim and no storage class is set"),
    ]


def test_a_claim_of_the_standard_class_waits_for_a_pod_and_then_has_a_folder() -> None:
    h = house()
    made = claim(h, class_="standard")
    binder = LOOPS[0]
    h.carry_out(binder.decide(_ref("data"), h, h.now, h.chance))  # type: ignore[attr-defined]
    assert told(h) == [("WaitForFirstConsumer", "waiting for first consumer to be created before binding")]
    h.change(c.CLAIMS, "default", "data", {"metadata": {"annotations": {c.SELECTED_NODE: "node-1"}}})
    settle(h, LOOPS)
    name = f"pvc-{made['metadata']['uid']}"
    found = h.get(c.VOLUMES, "", name)
    assert found is not None and phase(h, c.CLAIMS, "data") == "Bound"
    assert found["spec"]["hostPath"] == {"path": f"/home/volumes/default/{name}", "type": "DirectoryOrCreate"}
    assert c.folder_name(found) == f"default/{name}"
    h.change(c.CLAIMS, "default", "data", {"spec": {"resources": {"requests": {"storage": "3Gi"}}}})
    settle(h, LOOPS)
    grown = h.get(c.VOLUMES, "", name)
    assert grown is not None and grown["spec"]["capacity"] == {"storage": "3Gi"}
    h.delete(c.CLAIMS, "default", "data")
    settle(h, LOOPS)
    assert phase(h, c.CLAIMS, "data") == "gone"
    left = h.get(c.VOLUMES, "", name)
    assert left is not None and left["metadata"]["finalizers"] == [c.FOLDER]  # the node's turn
    assert left["status"]["phase"] == "Released" and "deletionTimestamp" in left["metadata"]


def test_a_claim_that_a_pod_uses_is_kept_until_the_pod_is_gone() -> None:
    h = house()
    volume(h, "v")
    settle(h, LOOPS[1:])
    claim(h)
    spec = {"nodeName": "node-1", "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}
    h.add("pods", {"metadata": {"name": "p"}, "spec": spec})
    settle(h, LOOPS)
    h.delete(c.CLAIMS, "default", "data")
    settle(h, LOOPS)
    assert phase(h, c.CLAIMS, "data") == "Bound"
    h.remove("pods", "default", "p")
    settle(h, LOOPS)
    assert (phase(h, c.CLAIMS, "data"), phase(h, c.VOLUMES, "v")) == ("gone", "Released")
    h.delete(c.VOLUMES, "", "v")
    settle(h, LOOPS)
    assert phase(h, c.VOLUMES, "v") == "gone"


def test_a_claim_whose_volume_is_gone_is_lost() -> None:
    h = house()
    volume(h, "v")
    settle(h, LOOPS[1:])
    claim(h)
    settle(h, LOOPS)
    h.remove(c.VOLUMES, "", "v")
    settle(h, LOOPS)
    assert phase(h, c.CLAIMS, "data") == "Lost"
    assert told(h)[-1] == ("ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!")


@pytest.mark.parametrize(
    ("spec", "reason", "text"),
    [
        ({"volumeName": "small"}, "VolumeMismatch",
         'Cannot bind to requested volume "small": requested PV is too small'),
        ({"storageClassName": "none"}, "ProvisioningFailed", 'storageclass.storage.k8s.io "none" not found'),
    ],
)  # fmt: skip
def test_a_claim_that_cannot_be_bound_says_why(spec: Obj, reason: str, text: str) -> None:
    h = house()
    volume(h, "small", "1Mi")
    settle(h, LOOPS[1:])
    claim(h, **{"class_": "", **spec})
    h.carry_out(LOOPS[0].decide(_ref("data"), h, h.now, h.chance))  # type: ignore[attr-defined]
    assert (reason, text) in told(h)
    assert phase(h, c.CLAIMS, "data") == "Pending"


def test_nobody_elses_folder_is_ever_deleted() -> None:
    """Neither by a policy, nor by an object that says it was made by us."""
    h = house()
    volume(h, "v", persistentVolumeReclaimPolicy="Delete")
    settle(h, LOOPS[1:])
    claim(h)
    settle(h, LOOPS)
    h.delete(c.CLAIMS, "default", "data")
    settle(h, LOOPS)
    assert phase(h, c.VOLUMES, "v") == "Failed"
    assert told(h)[-1][0] == "VolumeFailedDelete"
    lying = {"metadata": {"name": "etc", "annotations": {c.PROVISIONED_BY: c.PROVISIONER}},
             "spec": {"claimRef": {"namespace": "..", "name": "x"}, "hostPath": {"path": "/etc"}}}  # fmt: skip
    assert c.folder_name(lying) == ""
    lying["metadata"]["name"] = "pvc-x"
    assert c.folder_name(lying) == ""
    lying["spec"]["claimRef"]["namespace"] = "default"
    assert c.folder_name(lying) == "default/pvc-x"


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 4), max_size=4),
    asks=st.lists(st.integers(1, 4), max_size=4),
    cut=st.integers(0, 6),
)
def test_no_volume_has_two_claims_wherever_a_decision_was_cut(sizes: list[int], asks: list[int], cut: int) -> None:
    h = house()
    for n, size in enumerate(sizes):
        volume(h, f"v{n}", f"{size}Gi")
    settle(h, LOOPS[1:])
    for n, size in enumerate(asks):
        claim(h, f"c{n}", f"{size}Gi")
        h.carry_out(list(LOOPS[0].decide(_ref(f"c{n}"), h, h.now, h.chance))[:cut])  # type: ignore[attr-defined]
    for name in [f"c{n}" for n in range(len(asks))] * 3:
        h.carry_out(LOOPS[0].decide(_ref(name), h, h.now, h.chance))  # type: ignore[attr-defined]
    bound = [o["spec"]["volumeName"] for o in h.list(c.CLAIMS) if o["status"]["phase"] == "Bound"]
    assert len(bound) == len(set(bound))
    for one in h.list(c.CLAIMS):
        if one["status"]["phase"] == "Bound":
            found = h.get(c.VOLUMES, "", one["spec"]["volumeName"])
            assert found is not None and c.is_for(found, one) and c.size(found) >= c.size(one)


def _ref(name: str) -> Any:
    from madang.control.controller import Ref

    return Ref("default", name)
