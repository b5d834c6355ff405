"""Start-up work is no load: fresh and restarted pods leave the size alone, and a step of load is still seen at once.

Pods burn CPU by a curve; it is sampled as a node does it (each second, at any phase), smoothed, and decided upon.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madang.control import autoscaler
from madang.control.autoscaler import Memory
from madang.control.autoscaler.metrics import SETTLING_S
from madang.control.controller import Ref
from madang.control.instant import stamp
from madang.loops.smoothing import Smoothing
from madang.ports.streams import PodUsage, Usage
from tests.control.test_autoscaler import hpa, size, target
from tests.view import House

Curve = Callable[[float], float]  # cores at an hour
EPOCH = 1_800_000_000.0


@dataclass
class Machine:
    """`curves` by pod; sampled at whole seconds after `phase`."""

    house: House
    curves: dict[str, Curve]
    phase: float
    begun: float

    def __post_init__(self) -> None:
        self.smooth, self.memory = Smoothing(self), Memory()
        self.last = self.begun
        self.now = int(self.begun) + 1 + self.phase
        self.usage: list[PodUsage] = []

    def pod(self, namespace: str, name: str) -> PodUsage | None:
        return next((u for u in self.usage if u.pod == name), None)

    def pods(self, namespace: str | None = None) -> list[PodUsage]:
        return self.usage

    def node(self, name: str) -> Usage | None:
        return None

    def beat(self) -> None:
        """One sample and one decision."""
        window, steps = self.now - self.last, 200
        self.usage = []
        for name, curve in self.curves.items():
            cores = sum(curve(self.last + window * (i + 0.5) / steps) for i in range(steps)) / steps
            self.usage.append(PodUsage("default", name, {"c": Usage(self.now, window, cores, 2**20)}))
        self.last, self.house.now = self.now, self.now
        usage = self.smooth.pods("default")
        actions, self.memory = autoscaler.decide(Ref("default", "h"), self.house, self.now, usage, self.memory)
        self.house.carry_out(actions)
        self.now += 1

    def ready(self, name: str, at: float) -> None:
        self.house.now = at
        self.house.start(name)


def begun(start: float, phase: float, curve: Curve, age_s: float = 0.0) -> Machine:
    house = House()
    house.now = start
    target(house, 2, request="250m", age_s=age_s)
    for name in ("p0", "p1"):
        house.start(name, ready=False)
        running = {"name": "c", "state": {"running": {"startedAt": stamp(start)}}}
        house.change("pods", "default", name, {"status": {"containerStatuses": [running]}})
    hpa(house, minReplicas=2, maxReplicas=5)
    return Machine(house, {"p0": curve, "p1": curve}, phase, start)


FRACTION = st.floats(0, 0.999)


@settings(max_examples=150, deadline=None)
@given(FRACTION, FRACTION, st.floats(0.2, 20), st.floats(0, SETTLING_S), st.floats(0.3, 4), st.booleans())
def test_a_start_is_no_load(
    fraction: float, phase: float, to_ready_s: float, after_s: float, cores: float, old: bool
) -> None:
    """It works with all its might until it is ready, and a while after; in a fresh pod, and in one started again."""
    start = EPOCH + fraction
    machine = begun(start, phase, lambda at: cores if at < start + to_ready_s + after_s else 0.01, 5000.0 if old else 0)
    told = False
    while machine.now < start + to_ready_s + 20:
        if not told and machine.now >= start + to_ready_s:
            for name in ("p0", "p1"):
                machine.ready(name, start + to_ready_s)
            told = True
        machine.beat()
        assert size(machine.house) == 2


@settings(max_examples=150, deadline=None)
@given(FRACTION, FRACTION, st.floats(0.2, 20), st.floats(5, 60), st.floats(0.5, 2))
def test_a_step_of_load_is_believed_within_two_samples_and_a_beat(
    fraction: float, phase: float, to_ready_s: float, rest_s: float, cores: float
) -> None:
    start = EPOCH + fraction
    step = start + to_ready_s + rest_s
    machine = begun(start, phase, lambda at: cores if at < start + to_ready_s or at >= step else 0.0)
    told = False
    while size(machine.house) == 2:
        if not told and machine.now >= start + to_ready_s:
            for name in ("p0", "p1"):
                machine.ready(name, start + to_ready_s)
            told = True
        assert machine.now < step + 2.0, "the step was not believed in time"
        machine.beat()
    assert machine.now - 1 > step


def test_a_pod_of_any_age_that_is_overloaded_and_not_ready_counts() -> None:
    """It fails its probe for too much work: that is load, not a start."""
    machine = begun(EPOCH, 0.5, lambda at: 1.0, 5000.0)
    for name in ("p0", "p1"):
        machine.house.start(name, ready=False)
        old = {"name": "c", "state": {"running": {"startedAt": stamp(EPOCH - 4000)}}}
        machine.house.change("pods", "default", name, {"status": {"containerStatuses": [old]}})
    machine.beat()
    machine.beat()
    assert size(machine.house) > 2


@pytest.mark.parametrize("silent", [True, False])
def test_who_says_nothing_of_its_containers_is_as_old_as_its_pod(silent: bool) -> None:
    machine = begun(EPOCH, 0.5, lambda at: 1.0, 5000.0)
    waiting = {"name": "c", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    for name in ("p0", "p1"):
        machine.house.start(name)
        told = None if silent else [waiting]
        machine.house.change("pods", "default", name, {"status": {"containerStatuses": told}})
    machine.beat()
    assert size(machine.house) > 2
