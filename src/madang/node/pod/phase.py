"""The pod's phase from what its containers do (Kubernetes' pod lifecycle rules).

In: pod and facts. Out: Pending, Running, Succeeded or Failed, as they follow from the containers alone; the status
shows the terminal ones only once nothing of the pod is left.
"""

from typing import Literal

from madang.node.pod import spec
from madang.node.pod.facts import Facts
from madang.node.pod.spec import Role
from madang.ports.objects import Obj

Phase = Literal["Pending", "Running", "Succeeded", "Failed"]


def phase(pod: Obj, facts: Facts) -> Phase:
    if facts.doom is not None:
        return "Failed"
    ending = spec.deleting(pod) or facts.removed
    policy = "Never" if ending else pod["spec"].get("restartPolicy", "Always")
    starting = _starting(pod, facts, policy)
    if starting is not None:
        return starting
    found = [facts.of(r.name) for r in spec.mains(pod)]
    if any(c.running is None and c.exit is None and c.last is None for c in found):
        return _unstarted(facts, ending)
    alive = any(c.running for c in found) or any(facts.of(r.name).running for r in spec.inits(pod))
    ends = [c.exit or c.last for c in found]
    if alive or policy == "Always":
        return "Running"
    if all(e is not None and e.code == 0 for e in ends):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def _starting(pod: Obj, facts: Facts, policy: str) -> Phase | None:
    """What the init containers alone say; None once they are done."""
    for r in spec.inits(pod):
        c = facts.of(r.name)
        if r.kind == "init" and c.exit is not None and c.exit.code != 0 and policy == "Never":
            return "Failed"
        if not initialized(r, facts) and not _mains_began(pod, facts):
            return _unstarted(facts, spec.deleting(pod) or facts.removed)
    return None


def _unstarted(facts: Facts, ending: bool) -> Phase:
    """A pod that is taken away before all of it began has failed, once nothing of it runs."""
    quiet = not any(c.alive for c in facts.containers.values())
    return "Failed" if ending and quiet and facts.sandbox in ("none", "releasing", "released") else "Pending"


def _mains_began(pod: Obj, facts: Facts) -> bool:
    return any(facts.of(r.name).attempt >= 0 for r in spec.mains(pod))


def initialized(role: Role, facts: Facts) -> bool:
    """Whether the next container may start, as far as this init container is concerned."""
    c = facts.of(role.name)
    if role.kind == "sidecar":
        return c.started and c.running is not None
    return c.running is None and c.exit is not None and c.exit.code == 0
