"""What a Kubernetes v1.36 API server accepted and refused, and in which words: `recorded.json`."""

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from madang.kinds.checks import CHECKS
from madang.kinds.checks.status import invalid
from madang.kinds.decode import decode
from madang.kinds.table import by_kind

RECORDED = json.loads((Path(__file__).parent / "recorded.json").read_text())


@pytest.mark.parametrize("case", RECORDED, ids=lambda c: c["name"])
def test_recorded(case: dict[str, Any]) -> None:
    body = case["body"]
    group, _, version = body["apiVersion"].rpartition("/")
    served = by_kind(group, version, body["kind"])
    assert served is not None
    obj = decode(served, orjson.dumps(body)).obj
    if case["namespace"]:
        obj["metadata"]["namespace"] = case["namespace"]
    row = served.kind
    if row.default is not None:
        row.default(obj)
    obj["metadata"].setdefault("uid", "u")
    if row.prepare_create is not None:
        row.prepare_create(obj)
    causes = list(CHECKS[row.id](obj, None))
    if "refusal" not in case:
        assert causes == []
        return
    refusal = invalid(row.kind, row.group, body["metadata"].get("name", ""), causes)
    assert refusal.message == case["refusal"]["message"]
    assert refusal.details == case["refusal"]["details"]
