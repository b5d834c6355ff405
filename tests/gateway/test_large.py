"""The count of requests that are too large to be asked again: read from HAProxy's answer, told by Service."""

import asyncio
import json
from pathlib import Path

import pytest

from madang.gateway import large

ANSWER = """# table: large-requests, type: string, size:10240, used:2
0x19c13388: key=shop:cart:80 use=0 exp=0 shard=0 http_req_cnt=7
0x19b27438: key=shop:cart:90:tcp use=1 exp=0 shard=0 http_req_cnt=3
0x19b27439: key=answer:500 use=0 exp=0 shard=0 http_req_cnt=1
"""


def test_reading() -> None:
    counts = large.read(ANSWER)
    assert counts == {"shop:cart:80": 7, "shop:cart:90:tcp": 3, "answer:500": 1}
    assert large.by_service(counts) == {"answer:500": 1, "shop/cart": 10}


@pytest.mark.parametrize("told", ["", "{}", "[]", json.dumps({"worker": {"admin": "/nowhere/x.sock"}})])
def test_where_no_gateway_answers_there_is_no_count(tmp_path: Path, told: str) -> None:
    assert asyncio.run(large.of_courtyard(tmp_path)) == {}
    (tmp_path / "gateway.json").write_text(told)
    assert asyncio.run(large.of_courtyard(tmp_path)) == {}


def test_most_requests_cost_a_look_at_their_method() -> None:
    """The conditions of a rule are tried in order, and the first that fails ends it."""
    _, _, conditions = large.rule().partition(" if ")
    assert conditions == "{ method PUT DELETE } { req.hdr_val(content-length) gt 15000 }"
