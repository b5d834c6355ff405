"""How a container is brought down, step by step: out of rotation, preStop, its stop signal, SIGKILL.

In: the container's facts, the hour. Out: the next step. Deletion takes a pod out of its EndpointSlices at once, or as
soon as the disk allows; the signal waits for that and a moment longer, so that who balances has heard of it and no
request meets a closed port.
"""

from collections.abc import Iterator
from dataclasses import replace

from madang.node.pod.actions import Action, BeginStop, Kill, RunPreStop, ShortenStop, Signal, WakeAt
from madang.node.pod.facts import Container, Facts, Now
from madang.node.pod.spec import Role

LEAVE_S = 0.03  # for EndpointSlices and gateway to follow
LOOK_S = 0.005  # so often it is looked whether slices lead there, while they do
MOST_S = 2.0  # longer than this, and than half of the grace period, no signal waits for anybody
LEAST_AFTER_HOOK_S = 2.0  # a preStop that used up the grace period leaves this much for the signal


def begin(facts: Facts, name: str, grace_s: float, now: Now, message: str) -> BeginStop:
    c = facts.of(name)
    wait = LEAVE_S if facts.served and c.ready and grace_s > 0 else 0.0
    return BeginStop(name, now.steady_s + wait, now.steady_s + wait + grace_s, message)


def put_off(facts: Facts, now: Now, led: bool) -> None:
    """As long as slices lead to it: whoever reads them will not have heard of their change before a moment has
    passed."""
    for c in facts.containers.values():
        stop = c.stop
        if stop is not None and not stop.signalled:
            waits = led and now.steady_s < stop.signal_by_s
            at_s = max(stop.signal_at_s, min(now.steady_s + LEAVE_S, stop.signal_by_s)) if waits else stop.signal_at_s
            c.stop = replace(stop, led=waits, signal_at_s=at_s)


def signal_by_s(signal_at_s: float, deadline_s: float) -> float:
    return signal_at_s + min(MOST_S, (deadline_s - signal_at_s) / 2)


def step(role: Role, c: Container, now: Now, latest_s: float = float("inf")) -> Iterator[Action]:
    """The next step for a container whose stop has begun. `latest_s`: when a shortened grace period ends."""
    stop = c.stop
    assert stop is not None
    if latest_s < stop.deadline_s - LEAVE_S * 2:
        yield ShortenStop(role.name, latest_s)
        return
    if stop.killed:
        return
    if now.steady_s >= stop.deadline_s:
        yield Kill(role.name)
    elif stop.hook == "none" and not stop.signalled and pre_stop(role) is not None:
        yield RunPreStop(role.name)
    elif stop.hook == "running" or stop.signalled:
        yield WakeAt(stop.deadline_s)
    elif now.steady_s >= stop.signal_at_s:
        yield Signal(role.name)
    else:
        yield WakeAt(min(stop.signal_at_s, now.steady_s + LOOK_S) if stop.led else stop.signal_at_s)


def pre_stop(role: Role) -> dict[str, object] | None:
    found = (role.spec.get("lifecycle") or {}).get("preStop")
    return found or None
