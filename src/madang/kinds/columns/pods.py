"""How a pod is printed: the one word for its state, its readiness, its restarts.

In: a Pod and the hour. Out: cells as the API server prints them: `CrashLoopBackOff`, `Init:0/2`, `3 (2m ago)`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from madang.kinds import ages, times
from madang.kinds.columns.cells import AGE, NAME, at, column, timed
from madang.kinds.phase import TERMINAL
from madang.ports.objects import Obj


class Summary(NamedTuple):
    word: str
    ready: int
    total: int
    restarts: int
    restarted_at: str  # when the last container ended that was started again


def summary(pod: Obj) -> Summary:
    """The rules of the printer, in its order: the pod's own reason, then the init containers', then the others'."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    conditions = status.get("conditions") or ()
    word = status.get("reason") or status.get("phase", "")
    if any(c.get("type") == "PodScheduled" and c.get("reason") == "SchedulingGated" for c in conditions):
        word = "SchedulingGated"
    sidecars = {c["name"] for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"}
    total = len(spec.get("containers") or ()) + len(sidecars)
    init = status.get("initContainerStatuses") or ()
    held, ready = _initializing(init, sidecars, len(spec.get("initContainers") or ()))
    restarts, restarted = _restarts(init)
    if held:
        word = held
    initialized = any(c.get("type") == "Initialized" and c.get("status") == "True" for c in conditions)
    if not held or initialized:
        word, running = _running(status.get("containerStatuses") or (), word, conditions)
        ready += running
        kept = [c for c in init if c.get("name") in sidecars]
        restarts, restarted = _restarts([*kept, *(status.get("containerStatuses") or ())])
    if pod["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            word = "Unknown"
        elif status.get("phase") not in TERMINAL:
            word = "Terminating"
    return Summary(word, ready, total, restarts, restarted)


def _restarts(statuses: Sequence[Obj]) -> tuple[int, str]:
    ended = [at(c, "lastState", "terminated", "finishedAt") for c in statuses]
    return sum(c.get("restartCount", 0) for c in statuses), max(ended, default="")


def _initializing(statuses: Sequence[Obj], sidecars: set[str], count: int) -> tuple[str, int]:
    """What the first init container that isn't through says (empty: all are), and the ready sidecars before it."""
    ready = 0
    for number, container in enumerate(statuses):
        state = container.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        if ended is not None and not ended.get("exitCode"):
            continue
        if container.get("name") in sidecars and container.get("started"):
            ready += bool(container.get("ready"))
            continue
        if ended is not None:
            return "Init:" + (ended.get("reason") or _end(ended)), ready
        if waiting.get("reason") not in (None, "", "PodInitializing"):
            return "Init:" + waiting["reason"], ready
        return f"Init:{number}/{count}", ready
    return "", ready


def _end(ended: Mapping[str, Any]) -> str:
    signal = ended.get("signal")
    return f"Signal:{signal}" if signal else f"ExitCode:{ended.get('exitCode', 0)}"


def _running(statuses: Sequence[Obj], word: str, conditions: Sequence[Obj]) -> tuple[str, int]:
    """The last word of the containers (from the last to the first), and how many of them are ready."""
    ready, error = 0, ""
    for container in reversed(statuses):
        state = container.get("state") or {}
        ended = state.get("terminated")
        if at(state, "waiting", "reason"):
            word = state["waiting"]["reason"]
        elif ended is not None:
            word = ended.get("reason") or _end(ended)
            error = word if ended.get("exitCode") else error
        elif container.get("ready") and state.get("running") is not None:
            ready += 1
    if word == "Completed":
        is_ready = any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)
        if ready and is_ready:
            word = "Running"
        elif error:
            word = error
        elif ready:
            word = "NotReady"
    return word, ready


def ready_text(pod: Obj) -> str:
    found = summary(pod)
    return f"{found.ready}/{found.total}"


def restarts_text(pod: Obj, now: float) -> str:
    found = summary(pod)
    if found.restarts and found.restarted_at:
        return f"{found.restarts} ({ages.human(now - times.parse(found.restarted_at))} ago)"
    return str(found.restarts)


def _address(pod: Obj) -> str:
    listed = at(pod, "status", "podIPs", default=())
    return (listed[0].get("ip") if listed else "") or "<none>"


def _gates(pod: Obj) -> str:
    gates = at(pod, "spec", "readinessGates", default=())
    if not gates:
        return "<none>"
    states = {c.get("type"): c.get("status") for c in reversed(at(pod, "status", "conditions", default=()))}
    return f"{sum(states.get(gate.get('conditionType')) == 'True' for gate in gates)}/{len(gates)}"


COLUMNS = (
    NAME,
    column("Ready", "string", "The aggregate readiness state of this pod for accepting traffic.", ready_text),
    column("Status", "string", "The aggregate status of the containers in this pod.", lambda pod: summary(pod).word),
    timed(
        "Restarts",
        "The number of times the containers in this pod have been restarted and when the last container in this pod "
        "has restarted.",
        restarts_text,
    ),
    AGE,
    column("IP", "string", "core.v1.PodStatus.podIP", _address, wide=True),
    column("Node", "string", "core.v1.PodSpec.nodeName", lambda p: at(p, "spec", "nodeName") or "<none>", wide=True),
    column(
        "Nominated Node", "string", "core.v1.PodStatus.nominatedNodeName",
        lambda p: at(p, "status", "nominatedNodeName") or "<none>", wide=True,
    ),
    column("Readiness Gates", "string", "core.v1.PodSpec.readinessGates", _gates, wide=True),
)  # fmt: skip
# what a row says beside its cells about a pod that is over
CONDITIONS: Mapping[str, Obj] = {
    "Succeeded": {
        "type": "Completed", "status": "True", "reason": "Succeeded",
        "message": "The pod has completed successfully.",
    },
    "Failed": {"type": "Completed", "status": "True", "reason": "Failed", "message": "The pod failed."},
}  # fmt: skip
