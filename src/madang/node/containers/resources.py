"""What a container may take, from the pod's requests and limits, in the runtime's words.

In: the pod, the container, the machine. Out: `linux.resources` and the score for the kernel's choice when memory runs
out. The numbers are the kubelet's: shares from requests, quota from limits in periods of 100 ms; guaranteed pods are
killed last, those that asked for nothing first.
"""

from decimal import Decimal
from typing import Any

from madang.node.pod import spec
from madang.node.pod.spec import Role
from madang.node.runtimes.oci.machine import Machine
from madang.ports.objects import Obj

PERIOD_US = 100_000
LEAST_QUOTA_US = 1000  # the kernel takes no less than a millisecond
LEAST_SHARES, MOST_SHARES = 2, 262_144
GUARANTEED, BEST_EFFORT = -997, 1000


def resources(role: Role, machine: Machine) -> dict[str, Any]:
    cpu: dict[str, Any] = {"shares": shares(requested(role, "cpu"))}
    quota = spec.limit(role, "cpu")
    if quota:
        cpu |= {"quota": max(LEAST_QUOTA_US, int(quota * PERIOD_US)), "period": PERIOD_US}
    found: dict[str, Any] = {"cpu": cpu}
    memory = spec.limit(role, "memory")
    if memory:
        found["memory"] = {"limit": int(memory)}
    if machine.cgroup == 2:  # one process of a container does not go alone
        found["unified"] = {"memory.oom.group": "1"}
    return found


def shares(cores: Decimal | None) -> int:
    return min(max(int((cores or 0) * 1024), LEAST_SHARES), MOST_SHARES)


def requested(role: Role, resource: str) -> Decimal | None:
    """A limit without a request is a request, too."""
    found = ((role.spec.get("resources") or {}).get("requests") or {}).get(resource)
    return spec.limit(role, resource) if found is None else spec.quantity(found)


def oom_score(pod: Obj, role: Role, machine: Machine) -> int:
    """Never lower than this machine lets us go."""
    return max(_wanted_score(pod, role, machine), machine.oom_score_least)


def _wanted_score(pod: Obj, role: Role, machine: Machine) -> int:
    match quality(pod):
        case "Guaranteed":
            return GUARANTEED
        case "BestEffort":
            return BEST_EFFORT
    asked = int(requested(role, "memory") or 0)
    score = 1000 - (1000 * asked) // machine.memory_bytes
    return min(max(score, 1000 + GUARANTEED), BEST_EFFORT - 1)


def quality(pod: Obj) -> str:
    """Guaranteed, Burstable or BestEffort."""
    anything, exact = False, True
    for role in spec.roles(pod):
        for resource in ("cpu", "memory"):
            limit, asked = spec.limit(role, resource), requested(role, resource)
            anything = anything or bool(limit) or bool(asked)
            exact = exact and bool(limit) and limit == asked
    if not anything:
        return "BestEffort"
    return "Guaranteed" if exact else "Burstable"
