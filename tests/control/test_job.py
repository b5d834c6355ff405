"""Jobs: the recorded stories state by state, counting exactly once under any interruption."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madang.control import job
from madang.control.job.indexes import read, written
from tests.control.settle import decided, settle, step
from tests.view import House

KIND = "jobs.batch"


def make(house: House, **spec: Any) -> dict[str, Any]:
    uid = "00000000-0000-4000-8000-000000000001"
    labels = {"batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": "j"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c"}], "restartPolicy": "Never"}}
    given = {"parallelism": 1, "completions": 1, "backoffLimit": 6, "completionMode": "NonIndexed", "suspend": False,
             "selector": {"matchLabels": labels}, "template": template}  # fmt: skip
    return house.add(KIND, {"metadata": {"name": "j", "uid": uid}, "spec": {**given, **spec}, "status": {}})


def seen(house: House) -> dict[str, Any]:
    """The status as the stories show it, uids as their number."""
    status = house.objects[(KIND, "default", "j")]["status"]
    named = {k: len(v) for k, v in status["uncountedTerminatedPods"].items()}
    counts = {k: v for k, v in status.items() if k in ("active", "succeeded", "failed", "completedIndexes")}
    conditions = [(c["type"], c["reason"], c["status"]) for c in status.get("conditions", [])]
    return {**counts, "named": named, "conditions": conditions}


def states(house: House, rounds: int = 8) -> list[dict[str, Any]]:
    """Every distinct state until nothing more is wanted."""
    found: list[dict[str, Any]] = []
    for _ in range(rounds):
        busy = step(job, house, "j")
        if not found or found[-1] != seen(house):
            found.append(seen(house))
        if not busy:
            return found
    raise AssertionError("did not settle")


def running(house: House) -> list[str]:
    return [p["metadata"]["name"] for p in house.list("pods") if p["status"]["phase"] in ("Pending", "Running")]


MET = ("SuccessCriteriaMet", "CompletionsReached", "True")
COMPLETE = ("Complete", "CompletionsReached", "True")


def test_three_completions_two_at_a_time() -> None:
    house = House()
    make(house, completions=3, parallelism=2)
    assert states(house)[0] == {"active": 2, "named": {}, "conditions": []}
    for name in running(house):
        house.finish(name, "Succeeded")
    assert states(house) == [
        {"active": 1, "named": {"succeeded": 2}, "conditions": []},
        {"active": 1, "succeeded": 2, "named": {}, "conditions": []},
    ]
    (last,) = running(house)
    house.finish(last, "Succeeded")
    assert states(house) == [
        {"succeeded": 2, "named": {"succeeded": 1}, "conditions": [MET]},
        {"succeeded": 3, "named": {}, "conditions": [MET, COMPLETE]},
    ]
    status = house.objects[(KIND, "default", "j")]["status"]
    assert status["ready"] == 0 and status["terminating"] == 0 and status["completionTime"] and status["startTime"]
    assert status["conditions"][1]["message"] == "Reached expected number of succeeded pods"
    assert not any(p["metadata"].get("finalizers") for p in house.list("pods"))
    assert [t.split(" ")[1] for t in house.told()] == ["SuccessfulCreate"] * 3 + ["Completed"]


def test_failing_beyond_the_limit() -> None:
    house = House()
    make(house, backoffLimit=1)
    states(house)
    house.finish(running(house)[0], "Failed")
    assert states(house) == [
        {"named": {"failed": 1}, "conditions": []},
        {"failed": 1, "named": {}, "conditions": []},
    ]
    assert 9 < max(house.wakes) <= 10
    house.now += 10
    assert states(house) == [{"active": 1, "failed": 1, "named": {}, "conditions": []}]
    house.finish(running(house)[0], "Failed")
    target = ("FailureTarget", "BackoffLimitExceeded", "True")
    assert states(house) == [
        {"failed": 1, "named": {"failed": 1}, "conditions": [target]},
        {"failed": 2, "named": {}, "conditions": [target, ("Failed", "BackoffLimitExceeded", "True")]},
    ]
    assert house.told()[-1] == "Warning BackoffLimitExceeded Job has reached the specified backoff limit"


def test_indexed() -> None:
    house = House()
    make(house, completions=2, parallelism=2, completionMode="Indexed")
    states(house)
    pods = house.list("pods")
    assert [p["metadata"]["generateName"] for p in pods] == ["j-0-", "j-1-"]
    assert pods[1]["spec"]["hostname"] == "j-1"
    assert pods[1]["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"] == "1"
    assert pods[1]["spec"]["containers"][0]["env"] == [
        {"name": "JOB_COMPLETION_INDEX",
         "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['batch.kubernetes.io/job-completion-index']"}}}
    ]  # fmt: skip
    for name in running(house):
        house.finish(name, "Succeeded")
    assert states(house) == [
        {"succeeded": 2, "completedIndexes": "0,1", "named": {}, "conditions": [MET]},
        {"succeeded": 2, "completedIndexes": "0,1", "named": {}, "conditions": [MET, COMPLETE]},
    ]


def test_suspend_and_resume() -> None:
    house = House()
    make(house, suspend=True)
    assert states(house) == [{"named": {}, "conditions": [("Suspended", "JobSuspended", "True")]}]
    house.change(KIND, "default", "j", {"spec": {"suspend": False}})
    resumed = ("Suspended", "JobResumed", "False")
    assert states(house) == [{"active": 1, "named": {}, "conditions": [resumed]}]
    house.change(KIND, "default", "j", {"spec": {"suspend": True}})
    states(house)
    assert seen(house)["conditions"] == [("Suspended", "JobSuspended", "True")]
    assert running(house) == [] and "failed" not in seen(house)
    assert "startTime" not in house.objects[(KIND, "default", "j")]["status"]


def test_the_deadline_kills() -> None:
    house = House()
    make(house, activeDeadlineSeconds=30)
    states(house)
    house.start(running(house)[0])
    states(house)
    assert max(house.wakes) == 30
    house.now += 31
    states(house)
    assert seen(house)["conditions"][0] == ("FailureTarget", "DeadlineExceeded", "True")
    (pod,) = house.list("pods")
    assert "deletionTimestamp" in pod["metadata"]
    assert ("Failed", "DeadlineExceeded", "True") not in seen(house)["conditions"]  # it still terminates
    house.remove("pods", "default", pod["metadata"]["name"])
    states(house)
    assert seen(house)["conditions"][1] == ("Failed", "DeadlineExceeded", "True")


def test_time_to_live() -> None:
    house = House()
    make(house, ttlSecondsAfterFinished=60)
    states(house)
    house.finish(running(house)[0], "Succeeded")
    states(house)
    assert max(house.wakes) == 60
    house.now += 60
    step(job, house, "j")
    assert house.get(KIND, "default", "j") is None


def test_pods_of_a_job_that_is_gone_are_let_go() -> None:
    house = House()
    make(house)
    states(house)
    house.remove(KIND, "default", "j")
    step(job, house, "j")
    assert not house.list("pods")[0]["metadata"].get("finalizers")


def test_what_is_not_supported_is_said() -> None:
    house = House()
    make(house, podFailurePolicy={"rules": []})
    step(job, house, "j")
    assert house.told() == [
        "Warning NotSupported This Job will not run: spec.podFailurePolicy is not supported yet. "
        "Remove it, or run the Job on a cluster."
    ]


@pytest.mark.parametrize(("numbers", "text"), [({0, 1}, "0,1"), ({0, 2, 3, 4, 7}, "0,2-4,7"), (set(), "")])
def test_indexes(numbers: set[int], text: str) -> None:
    assert written(numbers) == text and read(text) == numbers


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 5), st.integers(1, 3), st.booleans())
def test_every_end_counts_once_whatever_is_interrupted(
    data: st.DataObject, completions: int, parallelism: int, indexed: bool
) -> None:
    house = House(data.draw(st.integers(0, 9)))
    mode = "Indexed" if indexed else "NonIndexed"
    make(house, completions=completions, parallelism=parallelism, backoffLimit=100, completionMode=mode)
    ended = {"Succeeded": 0, "Failed": 0}
    for _ in range(data.draw(st.integers(0, 30))):
        actions = list(decided(job, house, "j"))
        house.carry_out(actions[: data.draw(st.integers(0, len(actions)))])
        if running(house) and data.draw(st.booleans()):
            phase = data.draw(st.sampled_from(["Succeeded", "Failed"]))
            house.finish(data.draw(st.sampled_from(running(house))), phase)
            ended[phase] += 1
        assert len(running(house)) <= parallelism
        house.now += 700
    for _ in range(completions + 1):
        settle(house, [job])
        for name in running(house):
            house.finish(name, "Succeeded")
            ended["Succeeded"] += 1
        house.now += 700
    settle(house, [job])
    status = house.objects[(KIND, "default", "j")]["status"]
    assert status["conditions"][-1]["type"] == "Complete"
    assert status["succeeded"] == ended["Succeeded"] == completions
    assert status.get("failed", 0) == ended["Failed"]
