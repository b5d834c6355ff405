"""Claims, volumes, classes: what is refused, and what may change later."""

import copy
from typing import Any

import pytest

from madang.kinds.checks.storage import check_claim, check_storage_class, check_volume
from tests.kinds.checks.objects import made

CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
VOLUME = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "hostPath": {"path": "/x"}}


def claim(**spec: Any) -> dict[str, Any]:
    meta = {"name": "c", "namespace": "n"}
    body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": {**CLAIM, **spec}}
    return made(copy.deepcopy(body))


def volume(**spec: Any) -> dict[str, Any]:
    body = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "v"}, "spec": {**VOLUME, **spec}}
    return made(copy.deepcopy(body))


def storage_class(**more: Any) -> dict[str, Any]:
    meta = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "s"}}
    return made({**meta, "provisioner": "x.example/y", **more})


def test_good_ones_pass() -> None:
    assert check_claim(claim(), None) == []
    assert check_volume(volume(), None) == []
    assert check_storage_class(storage_class(), None) == []


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"accessModes": []}, "spec.accessModes: Required value: at least 1 access mode is required"),
        ({"accessModes": ["ReadWriteOncePod", "ReadOnlyMany"]},
         "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"),
        ({"resources": {}}, "spec.resources[storage]: Required value"),
        ({"resources": {"requests": {"storage": "0"}}},
         'spec.resources[storage]: Invalid value: "0": must be greater than zero'),
        ({"volumeMode": "Tape"},
         'spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"'),
    ],
)  # fmt: skip
def test_what_a_claim_may_not_say(spec: dict[str, Any], said: str) -> None:
    assert [str(cause) for cause in check_claim(claim(**spec), None)] == [said]


def test_a_bound_claim_may_grow_and_nothing_else() -> None:
    old = claim(volumeName="v")
    old["status"] = {"phase": "Bound", "capacity": {"storage": "1Gi"}}
    grown = copy.deepcopy(old)
    grown["spec"]["resources"]["requests"]["storage"] = "2Gi"
    assert check_claim(grown, old) == []
    back = copy.deepcopy(old)
    back["spec"]["resources"]["requests"]["storage"] = "1Mi"
    assert [str(c) for c in check_claim(back, old)] == [
        "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"
    ]
    other = copy.deepcopy(old)
    other["spec"]["volumeName"] = "w"
    (cause,) = check_claim(other, old)
    assert str(cause).startswith(
        "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName "
        "for bound claims\n"
    )
    assert '- "VolumeName": "v"' in str(cause)


def test_who_binds_a_claim_names_its_volume() -> None:
    assert check_claim(claim(volumeName="v"), claim()) == []


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"hostPath": None}, "spec: Required value: must specify a volume type"),
        ({"hostPath": {"path": "/a/../b"}}, 'spec.hostPath.path: Invalid value: "/a/../b": must not contain \'..\''),
        ({"hostPath": None, "local": {"path": "/x"}},
         "metadata.annotations: Required value: Local volume requires node affinity"),
        ({"capacity": {}}, "spec.capacity: Required value"),
    ],
)  # fmt: skip
def test_what_a_volume_may_not_say(spec: dict[str, Any], said: str) -> None:
    obj = volume(**spec)
    obj["spec"] = {k: v for k, v in obj["spec"].items() if v is not None}
    assert said in [str(cause) for cause in check_volume(obj, None)]


def test_a_volumes_source_stays() -> None:
    (cause,) = check_volume(volume(hostPath={"path": "/y"}), volume())
    assert str(cause).startswith(
        "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n"
    )


def test_a_class_stays_as_it_is() -> None:
    new = storage_class(provisioner="z.example/y", volumeBindingMode="WaitForFirstConsumer")
    assert [str(cause) for cause in check_storage_class(new, storage_class())] == [
        "provisioner: Forbidden: updates to provisioner are forbidden.",
        'volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable',
    ]
