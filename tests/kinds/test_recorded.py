"""Objects that a real API server of v1.36 was given, and what it made of them: ours makes the same.

`recorded/creates.json` holds the requests and answers. What needs the rest of the house (addresses of services, who
owns which field) is left out of the comparison.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from madang.kinds import admission, table
from madang.kinds.checks.cluster import SYSTEM_PRIORITIES
from madang.kinds.decode import decode
from madang.ports.objects import Obj

CASES = json.loads((Path(__file__).parent / "recorded" / "creates.json").read_text())
ALLOCATED = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")
CLASSES = [{"metadata": {"name": name}, "value": value} for name, value in SYSTEM_PRIORITIES.items()]


def admitted(obj: Obj, resource: str, answer: Obj) -> None:
    if resource == "nodes":
        admission.node_taint(obj)
    elif resource == "pods":
        volumes = [v["name"] for v in answer["spec"].get("volumes", ()) if v["name"].startswith("kube-api-access-")]
        admission.service_account_volume(obj, {}, volumes[0][-5:] if volumes else "")
        admission.default_tolerations(obj)
        admission.priority(obj, CLASSES)


def without_addresses(obj: Obj, resource: str) -> Obj:
    if resource == "services":
        for name in ALLOCATED:
            obj["spec"].pop(name, None)
        for port in obj["spec"].get("ports", ()):
            port.pop("nodePort", None)
    return obj


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_an_object_becomes_what_the_server_makes_of_it(case: dict[str, Any]) -> None:
    resource, answer = case["resource"], case["answer"]
    served = table.by_path(case["group"], case["version"], resource)
    assert served is not None
    obj = served.to_stored(decode(served, json.dumps(case["body"]).encode()).obj)
    if served.kind.default:
        served.kind.default(obj)
    given = {name: answer["metadata"].get(name) for name in ("uid", "name", "namespace", "creationTimestamp",
             "resourceVersion")}  # fmt: skip
    obj["metadata"] |= {name: value for name, value in given.items() if value}
    admitted(obj, resource, answer)
    if served.kind.prepare_create:
        served.kind.prepare_create(obj)
    assert without_addresses(served.from_stored(obj), resource) == without_addresses(answer, resource)
