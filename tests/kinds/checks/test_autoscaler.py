from typing import Any

import pytest

from madang.kinds.checks.autoscaler import check_autoscaler
from tests.kinds.checks.objects import of, told

TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}


def cpu(**target: Any) -> dict[str, Any]:
    return {"metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]}


@pytest.mark.parametrize(
    ("spec", "faults"),
    [
        (cpu(type="Utilization", averageUtilization=50), []),
        ({"minReplicas": 0}, ["spec.minReplicas: Invalid value: 0: must be greater than or equal to 1"]),
        (cpu(type="Utilization"),
         ["spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target raw value or a "
          "target utilization"]),
        (cpu(type="Utilization", averageUtilization=0),
         ["spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0"]),
        ({"metrics": [{"type": "Odd"}]},
         ['spec.metrics[0].type: Unsupported value: "Odd": supported values: "ContainerResource", "External", '
          '"Object", "Pods", "Resource"']),
        ({"behavior": {"scaleUp": {"stabilizationWindowSeconds": 3601}}},
         ["spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600"]),
        ({"behavior": {"scaleDown": {"policies": [{"type": "Pods", "value": 0, "periodSeconds": 9999}]}}}, 2),
    ],
)  # fmt: skip
def test_autoscalers(spec: dict[str, Any], faults: list[str] | int) -> None:
    spec = {"scaleTargetRef": TARGET, "maxReplicas": 3, **spec}
    found = told(check_autoscaler(of("HorizontalPodAutoscaler", "autoscaling/v2", spec=spec), None))
    assert len(found) == faults if isinstance(faults, int) else found == faults
