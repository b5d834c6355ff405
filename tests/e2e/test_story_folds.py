"""What the comparer of stories calls timing, and what it doesn't."""

from typing import Any

import pytest

from tests.e2e.stories import compared
from tests.e2e.story_folds import unfolded
from tests.e2e.story_form import Row, differences, ends, events, lives, normal


def row(type_: str = "MODIFIED", **status: Any) -> Row:
    return {"type": type_, "name": "d", "generation": 1, "replicas": 2, "revision": "1", "status": status}


def available(yes: bool) -> list[dict[str, str]]:
    return [{"type": "Available", "status": str(yes), "reason": "Minimum" + ("Available" if yes else "Unavailable")}]


NONE = row("ADDED")
READY = [row(readyReplicas=n, conditions=available(n == 2)) for n in range(3)]


@pytest.mark.parametrize(
    "here",
    [
        pytest.param([NONE, *READY], id="the same"),
        pytest.param([NONE, READY[0], READY[2]], id="two pods ready at once"),
    ],
)
def test_steps_of_one_way_may_be_merged_on_either_side(here: list[Row]) -> None:
    there = [NONE, *READY]
    assert unfolded("deployments", there, here) == []
    assert unfolded("deployments", here, there) == []


@pytest.mark.parametrize(
    "here",
    [
        pytest.param([NONE, *READY[:2]], id="never there"),
        pytest.param([NONE, READY[0], READY[2], READY[1], READY[2]], id="back and forth"),
        pytest.param([NONE, row(readyReplicas=1, conditions=[]), READY[2], row()], id="another end"),
        pytest.param([NONE, row(readyReplicas=3), READY[2]], id="too many in between"),
        pytest.param(
            [NONE, row(readyReplicas=1, conditions=[{"type": "Other"}]), READY[2]], id="a condition of its own"
        ),
        pytest.param([row("ADDED", readyReplicas=0), *READY], id="another beginning"),
        pytest.param([NONE, READY[2]], id="a condition never told"),
        pytest.param([], id="nothing"),
    ],
)
def test_all_else_is_a_difference(here: list[Row]) -> None:
    there = [NONE, *READY]
    assert unfolded("deployments", there, here)
    assert unfolded("deployments", here, there)


def test_a_leap_is_no_merging() -> None:
    there = [NONE, *(row(readyReplicas=n) for n in range(6))]
    assert unfolded("deployments", there, [NONE, there[1], there[3], there[-1]]) == []
    assert unfolded("deployments", there, [NONE, there[1], there[-1]])


def pod(restarts: int, state: str, **more: Any) -> Row:
    body = {"reason": "CrashLoopBackOff"} if state == "waiting" else {}
    container = {"name": "c", "restartCount": restarts, "state": {state: body}, "lastState": {}, **more}
    return {"type": "MODIFIED", "name": "p", "status": {"phase": "Running", "containerStatuses": [container]}}


def test_a_container_started_again_at_once_was_never_seen_ended() -> None:
    begin = {**pod(0, "running"), "type": "ADDED"}
    ended, waits, again = pod(0, "terminated"), pod(0, "waiting", lastState={"terminated": {}}), pod(1, "running")
    assert unfolded("pods", [begin, again], [begin, ended, waits, again]) == []
    assert unfolded("pods", [begin, ended], [begin, ended, waits]) == []
    assert unfolded("pods", [begin, ended, again], [begin, again, pod(2, "running")])
    assert unfolded("pods", [begin, pod(0, "running", ready=True), again], [begin, again])


def two(first: str, second: str, phase: str) -> Row:
    rows = [{"name": n, "restartCount": 0, "state": {state: {}}} for n, state in (("c", first), ("d", second))]
    return {"type": "MODIFIED", "name": "p", "status": {"phase": phase, "containerStatuses": rows}}


def test_containers_that_start_one_after_another_may_be_seen_between() -> None:
    begin = {**two("waiting", "waiting", "Pending"), "type": "ADDED"}
    between, run = two("running", "waiting", "Pending"), two("running", "running", "Running")
    assert unfolded("pods", [begin, run], [begin, between, run]) == []
    assert unfolded("pods", [begin, run], [begin, two("running", "waiting", "Running"), run])
    assert unfolded("pods", [begin, run], [begin, two("terminated", "waiting", "Pending"), run])
    assert unfolded("pods", [begin, two("running", "terminated", "Running")], [begin, between, run])


def test_a_jobs_pods_are_counted_late_there() -> None:
    def job(**status: Any) -> Row:
        return row(**{"active": 0, "ready": 0, "succeeded": 0, "uncountedTerminatedPods": {}, **status})

    named = [job(uncountedTerminatedPods={"succeeded": uids}) for uids in (["UID"], ["UID", "UID"])]
    there = [NONE, job(active=2), named[1], job(succeeded=2)]
    here = [NONE, job(active=2), job(active=2, ready=2), named[0], job(succeeded=1), job(succeeded=2)]
    assert unfolded("jobs", there, here) == []
    assert unfolded("jobs", there, [*here[:-1], job(succeeded=3), here[-1]])
    assert unfolded("deployments", there, here)


def test_chance_time_and_machine_are_left_out() -> None:
    said = "Created pod: d-77ccc85784-px49p on 10.1.2.3 (0259cb80-cf9e-4efe-986e-945f4df11608)"
    assert normal({"message": said, "after_s": 3}) == {"message": "Created pod: d-HASH-NAME on ADDRESS (UID)"}
    assert normal({"pod-template-hash": "77ccc85784", "name": "kube-api-access"}) == {
        "pod-template-hash": "HASH",
        "name": "kube-api-access",
    }


def test_a_state_that_repeats_the_one_before_is_one() -> None:
    rows = [{**pod(0, "running"), "after_s": n} for n in (1, 2)]
    rows[1]["status"] = {**rows[1]["status"], "resources": {"limits": {"memory": "9007199254740988Ki"}}}
    rows[0]["status"] = {**rows[0]["status"], "resources": {}}
    assert [len(life) for life in lives(rows)["p"]] == [1]


def test_events_at_every_look_are_told_once_others_are_counted() -> None:
    def told(reason: str, count: int) -> Row:
        return {"reason": reason, "count": count, "message": "m", "object": "Pod/p"}

    assert events([told("BackOff", 3), told("BackOff", 2)]) == events([told("BackOff", 7)])
    assert events([told("Created", 1)]) != events([told("Created", 2)])
    assert events([told("Created", 1)]) != events([told("Created", 1), told("Created", 1)])


def test_what_is_left_is_compared_without_its_order() -> None:
    pods = [
        {"metadata": {"name": f"d-{n}"}, "status": {"phase": phase}} for n, phase in (("bcdfg", "A"), ("hjklm", "B"))
    ]
    other = [
        {"metadata": {"name": f"d-{n}"}, "status": {"phase": phase}} for n, phase in (("xwvtr", "B"), ("zzzzz", "A"))
    ]
    assert ends({"pods": pods}) == ends({"pods": other})


def test_a_whole_story() -> None:
    story = {"states": {"deployments": [NONE, *READY]}, "events": [], "ends": {"deployments": [READY[2]]}}
    assert compared(story, story) == []
    assert compared(story, {**story, "ends": {"deployments": []}}) == ["ends/deployments: want 1 of them, got 0"]
    assert compared(story, {**story, "states": {}}) == ["deployments d: 1 of them there, 0 here"]
    other = {**story, "states": {"deployments": [NONE, row(terminatingReplicas=1), *READY]}}
    assert "deployments: pods on their way out are counted on one side only" in compared(story, other)


def test_differences_name_the_place() -> None:
    assert differences({"a": [1, {"b": 2}], "c": 3}, {"a": [1, {"b": 4}], "d": 5}) == [
        "/a/1/b: want 2, got 4",
        "/c: lacks 3",
        "/d: has also 5",
    ]
