"""States of services from objects."""

import json
from typing import Any

import pytest

from madang.app.application import ServiceState
from madang.app.progress import progress, settled

LABEL = {"madang.dev/service": "a"}


def deployment(**status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "a", "generation": 1},
        "spec": {"replicas": 2},
        "status": {"observedGeneration": 1, **status},
    }


def job(**condition: str) -> dict[str, Any]:
    return {"metadata": {"name": "a"}, "spec": {}, "status": {"conditions": [condition] if condition else []}}


def pod(status: dict[str, Any] | None = None, gates: bool = False, **notes: str) -> dict[str, Any]:
    spec = {"schedulingGates": [{"name": "madang.dev/depends-on"}]} if gates else {}
    meta = {
        "name": "a-1",
        "labels": LABEL,
        "annotations": {f"madang.dev/{k.replace('_', '-')}": v for k, v in notes.items()},
    }
    return {"metadata": meta, "spec": spec, "status": status or {}}


def state_of(deployments: list[Any], jobs: list[Any], pods: list[Any], events: list[Any]) -> tuple[str, str]:
    found = progress(["a"], deployments, jobs, pods, events)[0]
    return found.state, found.detail


ALL_READY = {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}
WAITING = {"reason": "CrashLoopBackOff", "message": "back-off 1s restarting failed container=a"}
ENDED = {"exitCode": 3, "message": "Traceback\nKeyError: 'X'"}
LATE = {"conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]}


@pytest.mark.parametrize(
    ("objects", "state"),
    [
        (([], [], [], []), ("waiting", "to be applied")),
        (([deployment(**ALL_READY)], [], [], []), ("ready", "2/2")),
        (([deployment(**{**ALL_READY, "replicas": 3})], [], [], []), ("starting", "2/2")),
        (([deployment(**{**ALL_READY, "observedGeneration": 0})], [], [], []), ("starting", "0/2")),
        (([deployment(readyReplicas=1, updatedReplicas=2)], [], [pod()], []), ("starting", "1/2")),
        (([deployment()], [], [pod(gates=True, waiting_for="db to be healthy")], []), ("waiting", "db to be healthy")),
        (
            ([deployment()], [], [pod(gates=True, depends_on=json.dumps([{"service": "db"}, {"job": "m"}]))], []),
            ("waiting", "db, m"),
        ),
        (
            (
                [deployment()],
                [],
                [pod({"containerStatuses": [{"state": {"waiting": WAITING}, "lastState": {"terminated": ENDED}}]})],
                [],
            ),
            ("starting", "0/2: CrashLoopBackOff: back-off 1s; it ended with exit code 3: KeyError: 'X'"),
        ),
        (
            ([deployment(**LATE)], [], [pod({"containerStatuses": [{"state": {"terminated": ENDED}}]})], []),
            ("failed", "0/2: ended with exit code 3: KeyError: 'X'"),
        ),
        (
            (
                [deployment()],
                [],
                [
                    pod(
                        {
                            "conditions": [
                                {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}
                            ]
                        }
                    )
                ],
                [],
            ),
            ("starting", "0/2: 0/1 nodes are available"),
        ),
        (
            (
                [deployment()],
                [],
                [pod()],
                [{"type": "Warning", "involvedObject": {"name": "a-1"}, "reason": "FailedMount", "message": "no"}],
            ),
            ("starting", "0/2: FailedMount: no"),
        ),
        (
            ([deployment()], [], [pod(gates=True, waiting_for="Will not start: m failed")], []),
            ("failed", "Will not start: m failed"),
        ),
        (([], [job(type="Complete", status="True")], [], []), ("done", "")),
        (([], [job(type="Failed", status="True", message="too often")], [], []), ("failed", "too often")),
        (([], [job()], [], []), ("starting", "runs until it ends")),
    ],
)
def test_states(objects: tuple[list[Any], ...], state: tuple[str, str]) -> None:
    assert state_of(*objects) == state


def test_a_deleted_pod_tells_nothing() -> None:
    gone = pod({"containerStatuses": [{"state": {"waiting": WAITING}}]})
    gone["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert state_of([deployment()], [], [gone], []) == ("starting", "0/2")


def test_pods_without_our_label_belong_to_their_owner() -> None:
    one = pod({"containerStatuses": [{"state": {"waiting": WAITING}}]})
    one["metadata"]["labels"] = {}
    one["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": "a-5d4f"}]
    assert "CrashLoopBackOff" in state_of([deployment()], [], [one], [])[1]


def test_settled() -> None:
    assert settled([ServiceState("a", "ready"), ServiceState("b", "done")])
    assert not settled([ServiceState("a", "ready"), ServiceState("b", "starting")])


def test_a_pod_by_itself() -> None:
    def pod(name: str, **status: object) -> dict[str, object]:
        return {"metadata": {"name": name}, "status": status}

    pods = [
        pod("runs", phase="Running", conditions=[{"type": "Ready", "status": "True"}]),
        pod("ends", phase="Succeeded"),
        pod("fails", phase="Failed"),
        pod("starts", phase="Pending"),
    ]
    states = progress(["runs", "ends", "fails", "starts", "later"], [], [], pods)
    assert [s.state for s in states] == ["ready", "done", "failed", "starting", "waiting"]


def test_the_reason_is_what_keeps_the_new_version() -> None:
    old, new = pod({"containerStatuses": [{"state": {"terminated": ENDED}}]}), pod()
    new["status"] = {"containerStatuses": [{"state": {"terminated": {**ENDED, "exitCode": 9}}}]}
    old["metadata"]["creationTimestamp"], new["metadata"]["creationTimestamp"] = "2026-01-01", "2026-01-02"
    assert "exit code 9" in state_of([deployment()], [], [old, new], [])[1]
