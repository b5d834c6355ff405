from typing import Any

import pytest

from madang.kinds.checks.scheduling import check_affinity, check_spread, check_tolerations
from tests.kinds.checks.objects import told

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


@pytest.mark.parametrize(
    ("affinity", "faults"),
    [
        ({"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": []}}},
         [f"a.nodeAffinity.{REQUIRED}.nodeSelectorTerms: Required value: must have at least one node selector term"]),
        ({"nodeAffinity": {PREFERRED: [{"weight": 0, "preference": {}}]}},
         [f"a.nodeAffinity.{PREFERRED}[0].weight: Invalid value: 0: must be in the range 1-100"]),
        ({"podAffinity": {REQUIRED: [{"labelSelector": {"matchExpressions": [{"key": "k", "operator": "In"}]}}]}},
         [f"a.podAffinity.{REQUIRED}[0].labelSelector.matchExpressions[0].values: Required value: must be specified "
          "when `operator` is 'In' or 'NotIn'",
          f"a.podAffinity.{REQUIRED}[0].topologyKey: Required value: can not be empty"]),
        ({"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{"matchFields": [
            {"key": "metadata.name", "operator": "In", "values": ["n"]}]}]}}}, []),
    ],
)  # fmt: skip
def test_affinity(affinity: dict[str, Any], faults: list[str]) -> None:
    assert told(check_affinity(affinity, "a")) == faults


@pytest.mark.parametrize(
    ("toleration", "faults"),
    [
        ({"operator": "Exists"}, []),
        ({"operator": "Equal"},
         ['t[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all '
          'values and all keys"']),
        ({"key": "a", "tolerationSeconds": 5},
         ["t[0].effect: Invalid value: \"\": effect must be 'NoExecute' when `tolerationSeconds` is set"]),
        ({"key": "a", "operator": "Like"},
         ['t[0].operator: Unsupported value: "Like": supported values: "Equal", "Exists"']),
        ({"key": "a", "operator": "Exists", "effect": "X"},
         ['t[0].effect: Unsupported value: "X": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"']),
    ],
)  # fmt: skip
def test_tolerations(toleration: dict[str, Any], faults: list[str]) -> None:
    assert told(check_tolerations([toleration], "t")) == faults


def test_spread_is_said_once_for_a_pair() -> None:
    one = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
    assert told(check_spread([one, one | {"minDomains": 0}], "s")) == [
        's[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, ScheduleAnyway}"',
        "s[1].minDomains: Invalid value: 0: must be greater than zero",
        "s[1].minDomains: Invalid value: 0: can only use minDomains if whenUnsatisfiable=DoNotSchedule, "
        "not ScheduleAnyway",
    ]
