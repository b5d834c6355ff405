"""The conditions of a pod that its node answers for.

In: pod, facts, the phase that follows from them, the container statuses. Out: the `conditions` list, in the order
in which a kubelet writes it; those of others (readiness gates, DisruptionTarget) are kept behind.
"""

from collections.abc import Sequence

from madang.kinds.phase import TERMINAL
from madang.node.eviction.decision import target
from madang.node.pod import spec
from madang.node.pod.facts import Facts
from madang.node.pod.phase import initialized
from madang.ports.objects import Obj

OURS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
_COMPLETED = {"status": "False", "reason": "PodCompleted"}
_FAILED = {"status": "False", "reason": "PodFailed"}


def conditions(pod: Obj, facts: Facts, phase: str, unready: Sequence[str], before: Sequence[Obj], at: str) -> list[Obj]:
    """`before` are the conditions so far: a transition is a change of status against them. `at` is now, as text."""
    ready = _containers_ready(phase, unready)
    found = {
        "PodReadyToStartContainers": {"status": "True" if facts.sandbox in ("ready", "releasing") else "False"},
        "Initialized": _initialized(pod, facts, phase),
        "Ready": _ready(pod, ready, before),
        "ContainersReady": ready,
        "PodScheduled": {"status": "True"},
    }
    known = {c["type"]: c for c in before}
    generation = pod["metadata"].get("generation")
    ours = [_stamped(generation, t, found[t], known.get(t), at) for t in OURS]
    theirs = [c for c in before if c["type"] not in OURS]
    if facts.evicted:
        return [*ours, *(c for c in theirs if c["type"] != "DisruptionTarget"), target(facts.evicted, at, before)]
    return ours + theirs


def _stamped(generation: int | None, kind: str, value: Obj, before: Obj | None, at: str) -> Obj:
    same = before is not None and before["status"] == value["status"]
    moved = before.get("lastTransitionTime", at) if same and before is not None else at
    whole: Obj = {"type": kind, **value, "lastProbeTime": None, "lastTransitionTime": moved}
    if generation:
        whole["observedGeneration"] = generation
    return whole


def _initialized(pod: Obj, facts: Facts, phase: str) -> Obj:
    if phase == "Succeeded":
        return {"status": "True", "reason": "PodCompleted"}
    if any(facts.of(r.name).attempt >= 0 for r in spec.mains(pod)):
        return {"status": "True"}
    missing = [r.name for r in spec.inits(pod) if not initialized(r, facts)]
    if not missing:
        return {"status": "True"}
    message = f"containers with incomplete status: [{' '.join(missing)}]"
    return {"status": "False", "reason": "ContainersNotInitialized", "message": message}


def _containers_ready(phase: str, unready: Sequence[str]) -> Obj:
    if phase in TERMINAL:
        return dict(_COMPLETED if phase == "Succeeded" else _FAILED)
    if unready:
        message = f"containers with unready status: [{' '.join(unready)}]"
        return {"status": "False", "reason": "ContainersNotReady", "message": message}
    return {"status": "True"}


def _ready(pod: Obj, containers_ready: Obj, before: Sequence[Obj]) -> Obj:
    if containers_ready["status"] != "True":
        return dict(containers_ready)
    known = {c["type"]: c["status"] for c in before}
    messages = []
    for gate in pod["spec"].get("readinessGates") or ():
        kind = gate["conditionType"]
        if kind not in known:
            messages.append(f'corresponding condition of pod readiness gate "{kind}" does not exist.')
        elif known[kind] != "True":
            messages.append(f'the status of pod readiness gate "{kind}" is not "True", but {known[kind]}')
    if messages:
        return {"status": "False", "reason": "ReadinessGatesNotReady", "message": ", ".join(messages)}
    return {"status": "True"}
