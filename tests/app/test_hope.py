"""When `up` stops waiting: what has ended for good, what falls again and again, and what may yet become ready."""

from typing import Any

import pytest

from madang.app.application import ServiceState
from madang.app.hope import TRIES, hopeless

BEGUN = 1_767_225_600.0  # 2026-01-01T00:00:00Z
WEB, DB = ServiceState("web", "starting", "0/1"), ServiceState("db", "ready")


def at(seconds: int) -> str:
    return f"2026-01-01T00:00:{seconds:02}Z"


def pod(service: str, status: dict[str, Any], *, gated: bool = False, owned: bool = True) -> dict[str, Any]:
    owners = [{"kind": "ReplicaSet", "name": f"{service}-1"}] if owned else []
    meta = {"name": f"{service}-1-x", "labels": {"madang.dev/service": service}, "ownerReferences": owners}
    return {"metadata": meta, "spec": {"schedulingGates": [{"name": "x"}]} if gated else {}, "status": status}


def falling(tries: int = TRIES, last: int = 30) -> dict[str, Any]:
    ended = {"terminated": {"exitCode": 1, "startedAt": at(last)}}
    one = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": ended, "restartCount": tries}
    return {"containerStatuses": [one]}


def ready(since: int) -> dict[str, Any]:
    return {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": at(since)}]}


def job(**condition: str) -> dict[str, Any]:
    return {"metadata": {"name": "web"}, "status": {"conditions": [condition]}}


def told(states: list[ServiceState], pods: list[Any], jobs: list[Any] | None = None) -> bool:
    return hopeless(states, jobs or [], pods, BEGUN)


def test_who_falls_again_and_again_with_all_others_ready() -> None:
    assert told([WEB, DB], [pod("web", falling()), pod("db", ready(20))])
    assert not told([WEB, DB], [pod("web", falling(TRIES - 1)), pod("db", ready(20))]), "too early to say"
    assert not told([WEB, DB], [pod("web", falling()), pod("db", ready(40))]), "the next try will find the database"


def test_a_fall_of_before_is_none_of_now() -> None:
    old = falling()
    old["containerStatuses"][0]["lastState"]["terminated"]["startedAt"] = "2025-12-31T23:59:00Z"
    assert not told([WEB], [pod("web", old)])


def test_one_that_starts_keeps_hope_alive() -> None:
    db = ServiceState("db", "starting", "0/1")
    assert not told([WEB, db], [pod("web", falling()), pod("db", {})])
    assert not told([WEB], [pod("web", falling()), pod("web", {})]), "another instance of it"


def test_who_waits_for_one_without_hope_has_none() -> None:
    front = ServiceState("front", "waiting", "web")
    assert told([WEB, front], [pod("web", falling()), pod("front", {}, gated=True)])
    assert not told([front], [pod("front", {}, gated=True)]), "what it waits for may be elsewhere"


@pytest.mark.parametrize(("condition", "lost"), [("Failed", True), ("Complete", False), ("Suspended", False)])
def test_a_job_that_failed(condition: str, lost: bool) -> None:
    assert told([WEB], [], [job(type=condition, status="True")]) is lost


def test_a_pod_that_failed_is_over_unless_somebody_makes_another() -> None:
    assert told([WEB], [pod("web", {"phase": "Failed"}, owned=False)])
    assert not told([WEB], [pod("web", {"phase": "Failed"})])


def test_waiting_in_vain() -> None:
    assert told([ServiceState("web", "failed", "Will not start: migrate failed")], [])


def test_all_ready_is_no_lack_of_hope() -> None:
    assert not told([DB], [pod("db", ready(1))])
