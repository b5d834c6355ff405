"""Who is ready and who gets requests, compared."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from madang.gateway.reached import all_reached, read, wanted
from tests.gateway.conftest import bind, running
from tests.gateway.test_hand import Start, serving

ANSWER = """1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight
3 default:web:80 1 a:10.0.0.1:80 10.0.0.1 2 0 100 100 7 6 3 4 6 0 0 0 - 80 - 0 0 - - 0
3 default:web:80 2 b:10.0.0.2:80 10.0.0.2 0 0 100 100 7 6 3 4 6 0 0 0 - 80 - 0 0 - - 0
3 default:web:80 3 c:10.0.0.3:80 10.0.0.3 2 1 100 100 7 6 3 4 6 0 0 0 - 80 - 0 0 - - 0
"""


def service(**spec: Any) -> dict[str, Any]:
    usual = {"clusterIP": "10.9.0.1", "selector": {"app": "web"}, "ports": [{"port": 80}]}
    return {"metadata": {"name": "web", "namespace": "default"}, "spec": {**usual, **spec}}


def pod(address: str, *, ready: bool = True, app: str = "web", leaving: bool = False) -> dict[str, Any]:
    meta = {"labels": {"app": app, "other": "x"}, **({"deletionTimestamp": "now"} if leaving else {})}
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {"metadata": meta, "status": {"podIP": address, "conditions": conditions}}


def test_only_ready_instances_that_stay_are_wanted() -> None:
    pods = [pod("1"), pod("2", ready=False), pod("3", app="db"), pod("4", leaving=True)]
    assert wanted([service()], pods) == {"default:web:80": {"1"}}


@pytest.mark.parametrize(
    "spec",
    [{"clusterIP": "None"}, {"type": "ExternalName"}, {"selector": None}, {"ports": [{"port": 53, "protocol": "UDP"}]}],
)
def test_what_haproxy_does_not_carry_is_not_waited_for(spec: dict[str, Any]) -> None:
    assert wanted([service(**spec)], [pod("1")]) == {}


def test_who_is_down_or_kept_out_gets_nothing() -> None:
    assert read(ANSWER) == {"default:web:80": {"10.0.0.1"}}


def test_a_real_haproxy_tells(tmp_path: Path, program: Path, start: Start) -> None:
    expected = {"default:web:80": frozenset(["127.0.0.1"])}

    async def story() -> None:
        one, at = start("one"), bind()
        assert not await all_reached(tmp_path / "run", expected), "nobody serves"
        async with running(tmp_path, program) as hand:
            await hand.apply(serving(at))
            assert not await all_reached(tmp_path / "run", expected)
            await hand.apply(serving(at, one))
            assert await all_reached(tmp_path / "run", expected)

    asyncio.run(story())
