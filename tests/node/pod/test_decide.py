"""Decisions over random pods and random fates: they come to rest, they never contradict themselves, and a pod that
has to go is gone in the end."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madang.node.pod import actions as do
from madang.node.pod import spec
from madang.node.pod.decide import decide
from madang.node.pod.facts import Facts, Now, Stop
from madang.node.pod.phase import phase
from madang.node.pod.restart import delay_s, short_runs_after, text
from madang.node.pod.status import status
from madang.node.runtimes.runtime import Exit, Running
from madang.ports.objects import Obj

UID = "7c1f6d1e-0000-4000-8000-000000000001"


def pod(**more: Any) -> Obj:
    body = {"containers": [{"name": "c", "image": "i"}], "restartPolicy": "Always", **more}
    meta: Obj = {"name": "p", "namespace": "default", "uid": UID}
    return {"metadata": meta, "spec": body, "status": {"phase": "Pending"}}


@st.composite
def pods(draw: st.DrawFn) -> Obj:
    inits = [
        {"name": f"i{n}", "image": "i", **({"restartPolicy": "Always"} if draw(st.booleans()) else {})}
        for n in range(draw(st.integers(0, 3)))
    ]
    mains = [{"name": f"c{n}", "image": "i"} for n in range(draw(st.integers(1, 3)))]
    for c in [*inits, *mains]:
        if draw(st.integers(0, 4)) == 0:
            c["lifecycle"] = {"preStop": {"exec": {"command": ["x"]}}}
    policy = draw(st.sampled_from(["Always", "OnFailure", "Never"]))
    grace = draw(st.sampled_from([0, 1, 30]))
    return pod(containers=mains, initContainers=inits, restartPolicy=policy, terminationGracePeriodSeconds=grace)


class World:
    """Applies decisions to facts, as the hand does, and lets things happen."""

    def __init__(self, obj: Obj) -> None:
        self.pod, self.facts, self.now = obj, Facts(started_at_s=1000.0), 0.0
        self.seen: list[do.Action] = []

    def moment(self) -> Now:
        return Now(1000.0 + self.now, self.now)

    def settle(self) -> None:
        for _ in range(60):
            actions = [a for a in decide(self.pod, self.facts, self.moment()) if not isinstance(a, do.WakeAt)]
            if not actions:
                return
            for a in actions:
                self.apply(a)
        raise AssertionError(f"no rest: {self.seen[-6:]}")

    def apply(self, action: do.Action) -> None:
        self.seen.append(action)
        facts = self.facts
        match action:
            case do.Prepare():
                assert facts.sandbox == "none"
                facts.sandbox = "preparing"
            case do.Start(name, attempt):
                c = facts.of(name)
                assert not c.alive
                assert attempt == c.attempt + 1
                assert facts.sandbox == "ready"
                c.starting = True
            case do.BackOff(name, _):
                assert not facts.of(name).backing_off
                facts.of(name).backing_off = True
            case do.BeginStop(name, signal_at_s, deadline_s, _, replaces):
                assert facts.of(name).running is not None and facts.of(name).stop is None
                facts.of(name).stop = Stop(signal_at_s, deadline_s, replaces=replaces)
            case do.RunPreStop(name):
                facts.of(name).stop = replace(facts.of(name).stop, hook="running")
            case do.Signal(name):
                stop = facts.of(name).stop
                assert stop is not None and not stop.signalled and stop.hook in ("none", "done")
                facts.of(name).stop = replace(stop, signalled=True)
            case do.Kill(name):
                stop = facts.of(name).stop
                assert not stop.killed and self.now >= stop.deadline_s
                facts.of(name).stop = replace(stop, killed=True)
            case do.ShortenStop(name, deadline_s):
                facts.of(name).stop = replace(facts.of(name).stop, deadline_s=deadline_s)
            case do.Release():
                assert not any(c.alive for c in facts.containers.values())
                facts.sandbox = "releasing"
            case do.Finish(how):
                assert facts.sandbox in ("none", "released")
                facts.finished, self.how = True, how
            case _:
                raise AssertionError(f"unexpected {action}")

    def happen(self, fate: int, code: int) -> None:
        """One thing of those that are under way comes about."""
        facts, names = self.facts, [r.name for r in spec.roles(self.pod)]
        if facts.sandbox == "preparing":
            facts.sandbox = "ready"
        elif facts.sandbox == "releasing":
            facts.sandbox = "released"
        else:
            c = facts.of(names[fate % len(names)])
            if c.starting:
                c.last, c.exit, c.attempt = c.exit or c.last, None, c.attempt + 1
                c.starting, c.stop, c.unhealthy, c.backing_off = False, None, "", False
                c.running = Running(f"r{c.attempt}", 1, 1, self.moment().wall_s)
                c.started = c.ready = True
                c.ready_since_s = self.now
            elif c.running is not None and (c.stop is None or c.stop.signalled or c.stop.killed or code):
                if c.stop and c.stop.hook == "running":
                    c.stop = replace(c.stop, hook="done")
                    return
                self.end(c, code)

    def end(self, c: Any, code: int) -> None:
        c.short_runs = short_runs_after(c, self.now)
        c.exit = Exit(code, 0, 1000.0, self.moment().wall_s, "Completed" if code == 0 else "Error")
        c.running, c.started, c.ready, c.ended_at_s = None, False, False, self.now


def running(obj: Obj, image: str = "i") -> World:
    world = World(obj)
    world.settle()
    world.happen(0, 0)
    world.settle()
    world.happen(0, 0)
    world.facts.of("c").image = image
    return world


@pytest.mark.parametrize("policy", ["Always", "OnFailure", "Never"])
def test_another_image_replaces_the_container_whatever_the_restart_policy(policy: str) -> None:
    world = running(pod(restartPolicy=policy, terminationGracePeriodSeconds=5))
    assert decide(world.pod, world.facts, world.moment()) == []
    world.pod["spec"]["containers"][0]["image"] = "j"
    (begin,) = decide(world.pod, world.facts, world.moment())
    assert begin == do.BeginStop("c", 0.0, 5.0, "Container c definition changed, will be restarted", True)
    world.settle()
    world.end(world.facts.of("c"), 0)
    (shown,) = status(world.pod, world.facts, {}, world.moment(), "10.0.0.1")["containerStatuses"]
    assert shown["state"] == {"waiting": {"reason": "ContainerCreating"}} and shown["lastState"]["terminated"]
    assert decide(world.pod, world.facts, world.moment()) == [do.Start("c", 1)]


def test_the_grace_period_of_a_probe_wins_over_the_pods() -> None:
    probe = {"livenessProbe": {"terminationGracePeriodSeconds": 2}}
    world = running(pod(containers=[{"name": "c", "image": "i", **probe}], terminationGracePeriodSeconds=500))
    world.facts.of("c").unhealthy = "liveness"
    (begin,) = decide(world.pod, world.facts, world.moment())
    assert isinstance(begin, do.BeginStop) and begin.deadline_s == 2.0


def test_one_that_ended_by_itself_is_not_started_again_for_another_image() -> None:
    world = running(pod(restartPolicy="Never"))
    world.end(world.facts.of("c"), 0)
    world.pod["spec"]["containers"][0]["image"] = "j"
    assert decide(world.pod, world.facts, world.moment()) == [do.Release()]


fates = st.lists(st.tuples(st.integers(0, 5), st.sampled_from([0, 0, 1, 137]), st.floats(0, 5)), max_size=25)


@settings(deadline=None, max_examples=150)
@given(pods(), fates, st.sampled_from(["none", "delete", "leave", "removed", "unhealthy"]))
def test_every_fate_comes_to_rest_and_what_must_go_goes(obj: Obj, history: Any, ending: str) -> None:
    world = World(obj)
    world.settle()
    for fate, code, seconds in history:
        world.happen(fate, code)
        world.now += seconds
        world.settle()
        check(world)
    begin_end(world, ending)
    if ending in ("none", "unhealthy"):
        return
    for n in range(200):
        if world.facts.finished:
            break
        world.happen(n, 0)
        world.now += 3.0
        world.settle()
        check(world)
    assert world.facts.finished
    assert world.how == {"delete": "delete", "leave": "leave", "removed": "forget"}[ending]
    assert not any(c.alive for c in world.facts.containers.values())


def begin_end(world: World, ending: str) -> None:
    if ending == "delete":
        world.facts.finished = False
        world.pod["metadata"] |= {"deletionTimestamp": "2030-01-01T00:00:00Z", "deletionGracePeriodSeconds": 2}
    elif ending == "leave":
        world.facts.finished, world.facts.leaving = False, True
    elif ending == "removed":
        world.facts.finished, world.facts.removed = False, True
    elif ending == "unhealthy":
        for c in world.facts.containers.values():
            c.unhealthy = "liveness"
    world.settle()
    check(world)


def check(world: World) -> None:
    """A status can be made of every moment, and making it twice gives the same."""
    before = world.pod["status"]
    shown = status(world.pod, world.facts, before, world.moment(), "10.0.0.1")
    assert status(world.pod, world.facts, shown, world.moment(), "10.0.0.1") == shown
    assert shown["phase"] in ("Pending", "Running")
    final = status(world.pod, world.facts, before, world.moment(), "10.0.0.1", final=True)
    assert final["phase"] == phase(world.pod, world.facts)


@given(st.integers(-3, 100))
def test_delays_double_from_one_second_to_sixty(runs: int) -> None:
    delay = delay_s(runs)
    assert delay == 0 if runs <= 0 else 1 <= delay <= 60
    assert delay_s(runs + 1) >= delay


def test_delays_as_they_are_shown() -> None:
    assert [text(delay_s(n)) for n in range(1, 9)] == ["1s", "2s", "4s", "8s", "16s", "32s", "1m0s", "1m0s"]


def test_a_long_ready_run_is_restarted_at_once() -> None:
    world = World(pod())
    world.settle()
    world.happen(0, 0)
    world.settle()
    world.happen(0, 0)
    world.now = 10.0
    world.end(world.facts.of("c"), 137)
    assert decide(world.pod, world.facts, world.moment()) == [do.Start("c", 1)]


def test_a_short_run_waits() -> None:
    world = World(pod())
    world.settle()
    world.happen(0, 0)
    world.settle()
    world.happen(0, 0)
    world.now = 9.0
    world.end(world.facts.of("c"), 137)
    assert decide(world.pod, world.facts, world.moment()) == [do.WakeAt(10.0)]


def test_one_that_serves_leaves_its_services_before_its_signal() -> None:
    world = World(pod(terminationGracePeriodSeconds=5))
    world.settle()
    world.happen(0, 0)
    world.settle()
    world.happen(0, 0)
    world.facts.served = True
    world.pod["metadata"] |= {"deletionTimestamp": "x", "deletionGracePeriodSeconds": 5}
    (begin,) = decide(world.pod, world.facts, world.moment())
    assert begin == do.BeginStop("c", 0.03, 5.03, "Stopping container c")
    world.apply(begin)
    assert decide(world.pod, world.facts, world.moment()) == [do.WakeAt(0.03)]
    world.now = 0.03
    assert decide(world.pod, world.facts, world.moment()) == [do.Signal("c")]


def test_a_grace_period_that_is_shortened_on_the_way() -> None:
    world = World(pod())
    world.settle()
    world.happen(0, 0)
    world.settle()
    world.happen(0, 0)
    world.pod["metadata"] |= {"deletionTimestamp": "x", "deletionGracePeriodSeconds": 30}
    world.settle()
    world.pod["metadata"]["deletionGracePeriodSeconds"] = 1
    assert decide(world.pod, world.facts, world.moment()) == [do.ShortenStop("c", 1.0)]
