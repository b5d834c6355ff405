from typing import Any

import pytest

from madang.kinds.checks.meta import check_any_update, check_meta, check_meta_update
from tests.kinds.checks.objects import start, told


def meta(**fields: Any) -> dict[str, Any]:
    return {"metadata": {"name": "x", "namespace": "n", **fields}}


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        ({}, []),
        ({"name": ""}, ["metadata.name: Required value: name or generateName is required"]),
        ({"name": "x" * 254}, [f'metadata.name: Invalid value: "{"x" * 254}": must be no more than 253 characters']),
        ({"generateName": "web-"}, []),
        ({"namespace": ""}, ["metadata.namespace: Required value"]),
        ({"generation": -1}, ["metadata.generation: Invalid value: -1: must be greater than or equal to 0"]),
        ({"annotations": {"Upper/Case": "1"}}, []),
        ({"annotations": {"a": "x" * 262144}}, ["metadata.annotations: Too long: may not be more than 262144 bytes"]),
        ({"finalizers": ["orphan", "foregroundDeletion"]},
         ['metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and '
          "foregroundDeletion cannot be both set"]),
        ({"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": n, "uid": n, "controller": True}
                              for n in "ab"]}, 1),
    ],
)  # fmt: skip
def test_metadata(fields: dict[str, Any], faults: list[str] | int) -> None:
    found = told(check_meta(meta(**fields)))
    assert len(found) == faults if isinstance(faults, int) else found == faults


def test_kinds_of_the_whole_cluster_have_no_namespace() -> None:
    assert told(check_meta(meta(), namespaced=False)) == ["metadata.namespace: Forbidden: not allowed on this type"]


def test_no_finalizers_come_to_what_is_dying() -> None:
    old = meta(finalizers=["a/b"], deletionTimestamp="2026-01-01T00:00:00Z")
    new = meta(finalizers=["a/b", "c/d"], deletionTimestamp="2026-01-01T00:00:00Z")
    words = (
        "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, "
        'found new finalizers []string{"c/d"}'
    )
    assert told(check_meta_update(new, old)) == [words]
    assert told(check_meta_update(meta(), old)) == []
    assert start(check_meta_update(meta(labels={"a b": ""}), old), 38) == ['metadata.labels: Invalid value: "a b":']
    assert told(check_any_update(new, old)) == [words]
    assert start(check_any_update(meta(labels={"a b": ""}), old), 38) == ['metadata.labels: Invalid value: "a b":'] * 2
