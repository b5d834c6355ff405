"""The word that `kubectl get pods` shows for each state of a pod."""

from typing import Any

import pytest

from madang.kinds.columns.pods import ready_text, restarts_text, summary
from madang.ports.objects import Obj

AT = "1970-01-01T00:00:00Z"
READY = {"type": "Ready", "status": "True"}


def container(state: Obj | None = None, name: str = "c", **more: Any) -> Obj:
    return {"name": name, "state": state or {"running": {}}, "ready": True, "restartCount": 0, **more}


def pod(*containers: Obj, init: tuple[Obj, ...] = (), sidecars: tuple[str, ...] = (), **status: Any) -> Obj:
    inits = [{"name": c["name"], **({"restartPolicy": "Always"} if c["name"] in sidecars else {})} for c in init]
    status = {"phase": "Running", **status}
    if containers:
        status["containerStatuses"] = list(containers)
    if init:
        status["initContainerStatuses"] = list(init)
    spec = {"containers": [{"name": c["name"]} for c in containers] or [{}], "initContainers": inits}
    return {"metadata": {"name": "p"}, "spec": spec, "status": status}


def ended(code: int, reason: str = "", signal: int = 0) -> Obj:
    return {"terminated": {"exitCode": code, "finishedAt": AT, **({"reason": reason} if reason else {}),
                           **({"signal": signal} if signal else {})}}  # fmt: skip


DONE = ended(0, "Completed")
WAITING = {"waiting": {"reason": "PodInitializing"}}


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("Pending", pod(phase="Pending")),
        ("Running", pod(container())),
        ("SchedulingGated", pod(phase="Pending", conditions=[{"type": "PodScheduled", "reason": "SchedulingGated"}])),
        ("Evicted", pod(phase="Failed", reason="Evicted")),
        ("ContainerCreating", pod(container({"waiting": {"reason": "ContainerCreating"}}, ready=False))),
        ("CrashLoopBackOff", pod(container({"waiting": {"reason": "CrashLoopBackOff"}}, ready=False))),
        ("Completed", pod(container(DONE, ready=False), phase="Succeeded")),
        ("Error", pod(container(ended(1, "Error"), ready=False))),
        ("ExitCode:3", pod(container(ended(3), ready=False))),
        ("Signal:9", pod(container(ended(137, signal=9), ready=False))),
        ("OOMKilled", pod(container(ended(137, "OOMKilled"), ready=False))),
        ("Running", pod(container(DONE, name="a", ready=False), container(name="b"), conditions=[READY])),
        ("NotReady", pod(container(DONE, name="a", ready=False), container(name="b"))),
        ("Error", pod(container(DONE, name="a", ready=False), container(ended(1, "Error"), name="b", ready=False))),
        ("Init:0/2", pod(container(WAITING), init=(container(name="i"), container(WAITING, name="j")))),
        ("Init:1/2", pod(container(WAITING), init=(container(DONE, name="i"), container(WAITING, name="j")))),
        ("Init:CrashLoopBackOff",
         pod(container(WAITING), init=(container({"waiting": {"reason": "CrashLoopBackOff"}}, name="i"),))),
        ("Init:Error", pod(container(WAITING), init=(container(ended(1, "Error"), name="i"),))),
        ("Init:ExitCode:2", pod(container(WAITING), init=(container(ended(2), name="i"),))),
        ("PodInitializing", pod(container(WAITING), init=(container(DONE, name="i"),))),
        ("Running", pod(container(), init=(container(name="s", started=True),), sidecars=("s",))),
    ],
)  # fmt: skip
def test_the_word(word: str, found: Obj) -> None:
    assert summary(found).word == word


def test_a_dying_pod() -> None:
    found = pod(container())
    found["metadata"]["deletionTimestamp"] = AT
    assert summary(found).word == "Terminating"
    found["status"]["reason"] = "NodeLost"
    assert summary(found).word == "Unknown"
    over = pod(container(DONE, ready=False), phase="Succeeded")
    over["metadata"]["deletionTimestamp"] = AT
    assert summary(over).word == "Completed"


def test_readiness_counts_sidecars() -> None:
    sidecar = container(name="s", started=True)
    assert ready_text(pod(container(), init=(sidecar,), sidecars=("s",))) == "2/2"
    assert ready_text(pod(container(ready=False), init=(sidecar,), sidecars=("s",))) == "1/2"
    assert ready_text(pod(phase="Pending")) == "0/1"


def test_restarts() -> None:
    assert restarts_text(pod(container()), 0) == "0"
    again = container(restartCount=3, lastState=ended(1))
    assert restarts_text(pod(again), 125) == "3 (2m5s ago)"
    through = container(DONE, name="i", restartCount=5, lastState=ended(1))
    assert restarts_text(pod(again, init=(through,)), 125) == "3 (2m5s ago)", "init containers are past"
    assert restarts_text(pod(container(restartCount=2)), 5) == "2"
