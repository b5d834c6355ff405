"""Who is ready only because it runs has to stay up before `up` believes it."""

from typing import Any

import pytest

from madang.app.progress import progress
from madang.app.staying import doubt

START, AT = "2024-01-01T00:00:00Z", 1704067200.0
FAILED = {"lastState": {"terminated": {"exitCode": 3, "message": "bye"}}}
DEPLOYMENT = {
    "metadata": {"name": "a", "generation": 1},
    "spec": {"replicas": 1},
    "status": {
        "observedGeneration": 1,
        "replicas": 1,
        "updatedReplicas": 1,
        "readyReplicas": 1,
        "availableReplicas": 1,
    },
}


def pod(container: dict[str, Any] | None = None, phase: str = "Running", **status: Any) -> dict[str, Any]:
    state = {"name": "c", "state": {"running": {"startedAt": START}}, **status}
    return {
        "metadata": {"name": "a-1", "labels": {"madang.dev/service": "a"}},
        "spec": {"containers": [{"name": "c", **(container or {})}]},
        "status": {"phase": phase, "containerStatuses": [state]},
    }


@pytest.mark.parametrize(
    ("one", "after", "believed"),
    [
        (pod(), 0.5, False),
        (pod(), 2.0, True),
        (pod(**FAILED), 2.0, False),
        (pod(**FAILED), 10.0, True),
        (pod(lastState={"terminated": {"exitCode": 0}}), 2.0, True),
        (pod(state={"waiting": {"reason": "CrashLoopBackOff"}}), 60.0, False),
        (pod({"ports": [{"containerPort": 53, "protocol": "UDP"}]}), 0.5, False),
        (pod({"ports": [{"containerPort": 80}]}), 0.0, True),  # ready when the port opens
        (pod({"readinessProbe": {"exec": {}}}), 0.0, True),
        (pod(phase="Failed"), 0.0, True),  # another one stands for it
        (pod(state={"running": {}}), 0.0, True),
    ],
)
def test_when_it_is_believed(one: dict[str, Any], after: float, believed: bool) -> None:
    assert (doubt([one], AT + after) == "") is believed


def test_a_crash_loop_is_not_ready_between_two_crashes() -> None:
    state = progress(["a"], [DEPLOYMENT], [], [pod(**FAILED)], (), AT + 1)[0]
    assert (state.state, state.detail) == ("starting", "1/1: ended with exit code 3: bye")
    assert progress(["a"], [DEPLOYMENT], [], [pod(**FAILED)], (), AT + 11)[0].state == "ready"
