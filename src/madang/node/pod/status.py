"""What a pod's status says.

In: pod, facts, the status as it was last written, the hour. Out: the whole status; the same input gives the same
output, so that nothing is written when nothing is new.
"""

from collections.abc import Sequence
from decimal import Decimal

from madang.kinds.phase import TERMINAL
from madang.kinds.times import format_seconds
from madang.node.pod import spec
from madang.node.pod.conditions import conditions
from madang.node.pod.container_status import statuses
from madang.node.pod.facts import Doom, Facts, Now
from madang.node.pod.phase import phase
from madang.node.pod.spec import Role
from madang.ports.objects import Obj

_SIDES = ("requests", "limits")
OVERDUE = Doom("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")


def status(pod: Obj, facts: Facts, before: Obj, now: Now, host_ip: str, *, final: bool = False) -> Obj:
    """`final`: nothing of the pod is left, so a terminal phase may be shown; before that the old one stays."""
    found = phase(pod, facts)
    roles = spec.roles(pod)
    inits, mains = statuses(pod, facts)
    at = format_seconds(now.wall_s)
    unready = [s["name"] for r, s in zip(roles, inits + mains, strict=True) if r.kind != "init" and not s["ready"]]
    terminal = found in TERMINAL and final
    shown: Obj = {
        **_pod_resources(roles),
        "phase": found if terminal or found not in TERMINAL else before.get("phase", "Pending"),
        "conditions": conditions(pod, facts, found, unready, before.get("conditions") or (), at),
        "hostIP": host_ip,
        "hostIPs": [{"ip": host_ip}],
        "qosClass": before.get("qosClass", "BestEffort"),
        "startTime": before.get("startTime") or format_seconds(facts.started_at_s or now.wall_s),
        "containerStatuses": mains,
    }
    if inits:
        shown["initContainerStatuses"] = inits
    if facts.ip:
        shown |= {"podIP": facts.ip, "podIPs": [{"ip": facts.ip}]}
    if facts.doom is not None and terminal:
        shown |= {"reason": facts.doom.reason, "message": facts.doom.message}
    elif facts.doom is None:
        shown |= {k: before[k] for k in ("reason", "message") if k in before}
    if pod["metadata"].get("generation"):
        shown["observedGeneration"] = pod["metadata"]["generation"]
    kept = ("nominatedNodeName", "resize", "resourceClaimStatuses", "ephemeralContainerStatuses")
    return shown | {k: before[k] for k in kept if k in before}


def worth_showing(pod: Obj, facts: Facts) -> bool:
    """Whether this moment is one that a kubelet shows. What is taken down on purpose is shown once it is down."""
    if facts.leaving or facts.removed:
        return False
    quiet = not any(c.alive for c in facts.containers.values())
    if not quiet:
        return True
    if spec.deleting(pod) or facts.doom is not None:
        return False
    stopped = any(c.stop for c in facts.containers.values())
    if facts.sandbox == "released":
        return stopped
    return not (stopped and phase(pod, facts) in TERMINAL)


def _pod_resources(roles: Sequence[Role]) -> Obj:
    counted = [r for r in roles if r.kind != "init"]
    if len(counted) == 1:  # nothing to add up
        asked = counted[0].spec.get("resources") or {}
        alone = {side: {n: str(v) for n, v in asked[side].items()} for side in _SIDES if asked.get(side)}
        return {"resources": alone, **({"allocatedResources": alone["requests"]} if "requests" in alone else {})}
    sums: dict[str, dict[str, tuple[Decimal, str]]] = {side: {} for side in _SIDES}
    for r in counted:
        for side, found in sums.items():
            for name, value in ((r.spec.get("resources") or {}).get(side) or {}).items():
                number = spec.quantity(value)
                has = found.get(name)
                found[name] = (number, str(value)) if has is None else (has[0] + number, "")
    resources = {side: {n: _text(v) for n, v in found.items()} for side, found in sums.items() if found}
    allocated = {"allocatedResources": resources["requests"]} if "requests" in resources else {}
    return {"resources": resources, **allocated}


def _text(value: tuple[Decimal, str]) -> str:
    """A quantity as it was written, or the sum of several in the plainest form."""
    number, written = value
    if written:
        return written
    if number == number.to_integral_value():
        for suffix, size in (("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10)):
            if number >= size and number % size == 0:
                return f"{int(number) // size}{suffix}"
        return str(int(number))
    return f"{int((number * 1000).to_integral_value())}m"
