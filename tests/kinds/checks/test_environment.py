from typing import Any

import pytest

from madang.kinds.checks.environment import check_env, check_resource_ref
from tests.kinds.checks.objects import told


def field(path: str) -> dict[str, Any]:
    return {"name": "A", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}


@pytest.mark.parametrize(
    ("variable", "faults"),
    [
        ({"name": "A.b-c", "value": ""}, []),
        ({"name": "A=B"}, ['e[0].name: Invalid value: "A=B": a valid environment variable name must consist only of '
                           "printable ASCII characters other than '='"]),
        (field("status.podIP"), []),
        (field("spec.host"), []),
        (field("metadata.labels"), [
            'e[0].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: '
            '"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", '
            '"status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"']),
        (field("metadata.name['a']"),
         ['e[0].valueFrom.fieldRef: Invalid value: "metadata.name": does not support subscript']),
        ({"name": "A", "valueFrom": {"secretKeyRef": {"name": "s"}}},
         ["e[0].valueFrom.secretKeyRef.key: Required value"]),
    ],
)  # fmt: skip
def test_variables(variable: dict[str, Any], faults: list[str]) -> None:
    assert told(check_env([variable], "e")) == faults


def test_divisors() -> None:
    assert told(check_resource_ref({"resource": "limits.cpu", "divisor": "1k"}, "r", volume=False)) == [
        'r.divisor: Invalid value: "cpu": only divisor\'s values 1m and 1 are supported with the cpu resource'
    ]
    assert told(check_resource_ref({"resource": "limits.memory", "divisor": "1Mi"}, "r", volume=False)) == []
    assert told(check_resource_ref({"resource": "limits.memory"}, "r", volume=True)) == [
        "r.containerName: Required value"
    ]
