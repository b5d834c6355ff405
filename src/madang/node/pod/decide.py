"""What to do for one pod now.

In: the pod object, what is known of what runs, the hour. Out: actions, in order; an empty list means that the pod is
as it should be until something happens. Level-triggered: what is under way stands in the facts, so that deciding
again changes nothing.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from madang.kinds.phase import ended
from madang.node.pod import restart, spec
from madang.node.pod.actions import Abandon, Action, BackOff, Expire, Finish, Prepare, Release, Start, WakeAt
from madang.node.pod.facts import Container, Facts, Now
from madang.node.pod.phase import initialized
from madang.node.pod.spec import Role
from madang.node.pod.stopping import begin, step
from madang.ports.objects import Obj

_EVICTED_GRACE_S = 1.0  # a kubelet's own, beyond its hard thresholds


def decide(pod: Obj, facts: Facts, now: Now) -> list[Action]:
    if facts.finishing or facts.finished:
        return []
    if ending(pod, facts):
        return list(_end(pod, facts, now))
    actions = list(_deadline(pod, facts, now))
    if any(isinstance(a, Expire) for a in actions):
        return actions
    if facts.sandbox == "none":
        return actions + list(_prepare(facts, now))
    if facts.sandbox == "ready":
        actions += _heal(pod, facts, now)
        actions += _run(pod, facts, now)
    return actions


def ending(pod: Obj, facts: Facts) -> bool:
    """Whether everything of the pod has to go."""
    return (
        spec.deleting(pod)
        or facts.leaving
        or facts.removed
        or facts.doom is not None
        or facts.sandbox in ("releasing", "released")
        or complete(pod, facts)
    )


def complete(pod: Obj, facts: Facts) -> bool:
    """Whether its own containers have ended for good (sidecars may still run)."""
    if ended(pod):
        return True
    for r in spec.inits(pod):
        c = facts.of(r.name)
        if r.kind == "init" and c.exit is not None and not c.alive and c.exit.code != 0:
            return not spec.restarts(pod, r, c.exit.code)
    for r in spec.mains(pod):
        c = facts.of(r.name)
        if c.exit is None or c.alive or spec.restarts(pod, r, c.exit.code) or c.replaced:
            return False
    return True


def _deadline(pod: Obj, facts: Facts, now: Now) -> Iterator[Action]:
    seconds = pod["spec"].get("activeDeadlineSeconds")
    if seconds is None or not facts.started_at_s:
        return
    left = facts.started_at_s + seconds - now.wall_s
    yield Expire() if left <= 0 else WakeAt(now.steady_s + left)


def _prepare(facts: Facts, now: Now) -> Iterator[Action]:
    if facts.refusal is not None and facts.refusal.retry_at_s > now.steady_s:
        yield WakeAt(facts.refusal.retry_at_s)
    else:
        yield Prepare()


def _run(pod: Obj, facts: Facts, now: Now) -> Iterator[Action]:
    """Init containers one after the other, sidecars among them, then all others at once."""
    began = any(facts.of(r.name).attempt >= 0 for r in spec.mains(pod))
    for r in spec.inits(pod):
        if began and r.kind == "init":
            continue
        yield from _keep(pod, r, facts.of(r.name), now)
        if not began and not initialized(r, facts):
            return
    for r in spec.mains(pod):
        yield from _keep(pod, r, facts.of(r.name), now)


def _keep(pod: Obj, role: Role, c: Container, now: Now) -> Iterator[Action]:
    """Start one container where it should run and does not."""
    if c.alive:
        return
    if c.refusal is not None and c.refusal.retry_at_s > now.steady_s:
        yield WakeAt(c.refusal.retry_at_s)
    elif c.exit is None or c.replaced:
        yield Start(role.name, c.attempt + 1)
    elif spec.restarts(pod, role, c.exit.code):
        delay = restart.delay_s(c.short_runs)
        if c.ended_at_s + delay <= now.steady_s:
            yield Start(role.name, c.attempt + 1)
            return
        # The first short delay is not announced: a back-off is what a container gets that keeps failing.
        if c.short_runs > 1 and not c.backing_off:
            yield BackOff(role.name, delay)
        yield WakeAt(c.ended_at_s + delay)


def _changed(role: Role, c: Container) -> bool:
    return bool(c.image) and c.image != role.spec.get("image")


def _heal(pod: Obj, facts: Facts, now: Now) -> Iterator[Action]:
    """Stop what a probe has given up on, or what has another image now; go on with what is being stopped."""
    for r in spec.roles(pod):
        c = facts.of(r.name)
        if c.running is None:
            continue
        if c.stop is not None:
            yield from step(r, c, now)
        elif c.unhealthy:
            grace_s = _probe_grace_s(pod, r, c.unhealthy)
            yield begin(facts, r.name, grace_s, now, _unhealthy_text(pod, facts, r, c.unhealthy))
        elif _changed(r, c):
            text = f"Container {r.name} definition changed, will be restarted"
            yield replace(begin(facts, r.name, spec.grace_s(pod), now, text), replaces=True)


def _probe_grace_s(pod: Obj, role: Role, probe: str) -> float:
    """The probe's own grace period wins over the pod's."""
    own = (role.spec.get(f"{probe}Probe") or {}).get("terminationGracePeriodSeconds")
    return spec.grace_s(pod) if own is None else float(own)


def _unhealthy_text(pod: Obj, facts: Facts, role: Role, probe: str) -> str:
    if spec.restarts(pod, role, 1):
        return f"Container {role.name} failed {probe} probe, will be restarted"
    others = any(facts.of(r.name).alive for r in spec.mains(pod) if r.name != role.name)
    return f"Container {role.name} failed {probe} probe" if others else f"Stopping container {role.name}"


def _end(pod: Obj, facts: Facts, now: Now) -> Iterator[Action]:
    if facts.sandbox == "preparing":
        return  # what is half made is waited for, then given back
    alive = [r for r in spec.roles(pod) if facts.of(r.name).alive]
    yield from (Abandon(r.name) for r in alive if facts.of(r.name).pulling)
    if alive:
        for r in _next_to_stop(alive):
            c = facts.of(r.name)
            if c.running is None:
                continue
            if c.stop is None:
                yield begin(facts, r.name, _grace_s(pod, facts), now, f"Stopping container {r.name}")
            else:
                yield from step(r, c, now, _latest_s(pod, facts, now))
    elif facts.sandbox == "ready":
        yield Release()
    elif facts.sandbox in ("none", "released"):
        yield Finish(_how(pod, facts))


def _next_to_stop(alive: list[Role]) -> list[Role]:
    """Sidecars serve the others to the end: they go last, the youngest first."""
    others = [r for r in alive if r.kind != "sidecar"]
    return others or alive[-1:]


def _grace_s(pod: Obj, facts: Facts) -> float:
    if facts.removed:
        return min(2.0, spec.grace_s(pod))
    if facts.evicted:  # what runs out does so now
        return min(_EVICTED_GRACE_S, spec.grace_s(pod))
    given = pod["metadata"].get("deletionGracePeriodSeconds")
    return spec.grace_s(pod) if given is None else float(given)


def _latest_s(pod: Obj, facts: Facts, now: Now) -> float:
    """The end of a grace period that was shortened while the pod was going down."""
    given = pod["metadata"].get("deletionGracePeriodSeconds")
    return now.steady_s + (2.0 if facts.removed else float("inf") if given is None else float(given))


def _how(pod: Obj, facts: Facts) -> Literal["status", "delete", "forget", "leave"]:
    if facts.removed:
        return "forget"
    if facts.leaving:
        return "leave"
    return "delete" if spec.deleting(pod) else "status"
