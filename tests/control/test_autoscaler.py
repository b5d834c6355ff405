"""The autoscaler: the arithmetic of autoscaling/v2, what holds it back, conditions and Events in its own words."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madang.control import autoscaler
from madang.control.autoscaler import Memory
from madang.control.autoscaler.limits import Noted, bounded, stabilized
from madang.control.controller import Ref
from madang.control.instant import stamp
from madang.ports.streams import PodUsage, Usage
from tests.view import House

KIND, DEPLOYMENTS = autoscaler.KIND, "deployments.apps"


def target(house: House, replicas: int, *, request: str | None = "100m", age_s: float = 1000) -> None:
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "a"}}, "template": template}
    house.add(DEPLOYMENTS, {"metadata": {"name": "d"}, "spec": spec})
    pods(house, replicas, request=request, age_s=age_s)


def pods(house: House, replicas: int, *, request: str | None = "100m", age_s: float = 1000) -> None:
    container = {"name": "c", "resources": {"requests": {"cpu": request} if request else {}}}
    for i in range(replicas):
        if house.get("pods", "default", f"p{i}") is None:
            house.add(
                "pods", {"metadata": {"name": f"p{i}", "labels": {"app": "a"}}, "spec": {"containers": [container]}}
            )
            house.now -= age_s
            house.start(f"p{i}")
            house.change("pods", "default", f"p{i}", {"status": {"startTime": stamp(house.now)}})
            house.now += age_s


def hpa(house: House, **spec: Any) -> None:
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
    ref = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
    given = {"scaleTargetRef": ref, "minReplicas": 1, "maxReplicas": 10, "metrics": [cpu], **spec}
    house.add(KIND, {"metadata": {"name": "h"}, "spec": given, "status": {}})


def used(house: House, *millis: float) -> dict[str, PodUsage]:
    return {
        f"p{i}": PodUsage("default", f"p{i}", {"c": Usage(house.now, 1.0, m / 1000, 2**20)})
        for i, m in enumerate(millis)
    }


def sync(house: House, memory: Memory, *millis: float) -> Memory:
    actions, memory = autoscaler.decide(Ref("default", "h"), house, house.now, used(house, *millis), memory)
    house.carry_out(actions)
    return memory


def size(house: House) -> int:
    return int(house.objects[(DEPLOYMENTS, "default", "d")]["spec"]["replicas"])


def conditions(house: House) -> dict[str, tuple[str, str]]:
    found = house.objects[(KIND, "default", "h")]["status"]["conditions"]
    return {c["type"]: (c["status"], c["reason"]) for c in found}


def message(house: House, type_: str) -> str:
    found = house.objects[(KIND, "default", "h")]["status"]["conditions"]
    return str(next(c["message"] for c in found if c["type"] == type_))


def test_up_at_once_and_told() -> None:
    house = House()
    target(house, 2)
    hpa(house)
    sync(house, Memory(), 90, 110)
    assert size(house) == 4  # 100 % of the request against 50 %
    assert house.told() == [
        "Normal SuccessfulRescale New size: 4; reason: cpu resource utilization (percentage of request) above target"
    ]
    assert conditions(house) == {
        "AbleToScale": ("True", "SucceededRescale"),
        "ScalingActive": ("True", "ValidMetricFound"),
        "ScalingLimited": ("False", "DesiredWithinRange"),
    }
    status = house.objects[(KIND, "default", "h")]["status"]
    assert (status["currentReplicas"], status["desiredReplicas"]) == (2, 4)
    row = {"name": "cpu", "current": {"averageUtilization": 100, "averageValue": "100m"}}
    assert status["currentMetrics"] == [{"type": "Resource", "resource": row}]


def test_within_tolerance_nothing_happens() -> None:
    house = House()
    target(house, 2)
    hpa(house)
    sync(house, Memory(), 54, 54)
    assert size(house) == 2 and conditions(house)["AbleToScale"] == ("True", "ReadyForNewScale")


def test_down_only_after_five_quiet_minutes() -> None:
    house = House()
    target(house, 4)
    hpa(house)
    memory = sync(house, Memory(), 10, 10, 10, 10)
    assert size(house) == 4 and conditions(house)["AbleToScale"] == ("True", "ScaleDownStabilized")
    house.now += 200
    memory = sync(house, memory, 40, 40, 40, 40)
    assert size(house) == 4
    house.now += 101
    memory = sync(house, memory, 10, 10, 10, 10)
    assert size(house) == 4  # a hundred seconds ago four were still recommended: 160/200
    house.now += 200
    sync(house, memory, 10, 10, 10, 10)
    assert size(house) == 1
    assert house.told()[-1] == "Normal SuccessfulRescale New size: 1; reason: All metrics below target"


def test_a_clock_that_is_set_back_a_day_holds_nothing_up() -> None:
    """What was noted lies ahead then, and so does the start of every pod."""
    house = House()
    target(house, 4)
    hpa(house)
    memory = sync(house, Memory(), 40, 40, 40, 40)
    house.now -= 86_400
    memory = sync(house, memory, 10, 10, 10, 10)
    assert size(house) == 4
    house.now += 310
    sync(house, memory, 10, 10, 10, 10)
    assert size(house) == 1


def test_the_rate_of_growth_is_limited() -> None:
    house = House()
    target(house, 1)
    hpa(house, maxReplicas=100)
    memory = sync(house, Memory(), 10000)
    assert size(house) == 5 and conditions(house)["ScalingLimited"] == ("True", "ScaleUpLimit")
    house.now += 1
    pods(house, 5)
    memory = sync(house, memory, *([10000.0] * 5))
    assert size(house) == 5
    house.now += 15
    sync(house, memory, *([10000.0] * 5))
    assert size(house) == 10


@pytest.mark.parametrize(
    ("replicas", "to", "reason"), [(12, 10, "above Spec.MaxReplicas"), (1, 2, "below Spec.MinReplicas")]
)
def test_bounds_come_first(replicas: int, to: int, reason: str) -> None:
    house = House()
    target(house, replicas)
    hpa(house, minReplicas=2)
    sync(house, Memory())
    assert size(house) == to and house.told()[-1].endswith(f"Current number of replicas {reason}")


def test_zero_replicas_switch_it_off() -> None:
    house = House()
    target(house, 0)
    hpa(house)
    sync(house, Memory())
    assert conditions(house)["ScalingActive"] == ("False", "ScalingDisabled") and size(house) == 0


def test_faults_are_told_in_the_usual_words() -> None:
    house = House()
    target(house, 1, request=None)
    hpa(house)
    sync(house, Memory(), 10)
    assert conditions(house)["ScalingActive"] == ("False", "FailedGetResourceMetric")
    assert message(house, "ScalingActive") == (
        "the HPA was unable to compute the replica count: failed to get cpu utilization: "
        "missing request for cpu in container c of Pod p0"
    )
    sync(house, Memory())
    assert message(house, "ScalingActive").endswith(
        "unable to get metrics for resource cpu: no metrics returned from resource metrics API"
    )
    assert "FailedComputeMetricsReplicas" in {e.reason for e in house.events}
    house.remove(DEPLOYMENTS, "default", "d")
    sync(house, Memory())
    assert conditions(house)["AbleToScale"] == ("False", "FailedGetScale")
    assert message(house, "AbleToScale").endswith('deployments.apps "d" not found')


def test_missing_and_young_pods_never_exaggerate() -> None:
    house = House()
    target(house, 3)
    hpa(house)
    sync(house, Memory(), 100, 100)  # the third says nothing: counts as idle on the way up
    assert size(house) == 4
    house = House()
    target(house, 2)
    hpa(house)
    house.start("p1", ready=False)
    house.change("pods", "default", "p1", {"status": {"startTime": stamp(house.now)}})
    sync(house, Memory(), 100, 900)  # a starting pod's work is no load
    assert size(house) == 2


def test_average_value_and_memory() -> None:
    house = House()
    target(house, 2)
    wanted = {"name": "memory", "target": {"type": "AverageValue", "averageValue": "512Ki"}}
    hpa(house, metrics=[{"type": "Resource", "resource": wanted}])
    sync(house, Memory(), 1, 1)
    assert size(house) == 4
    row = house.objects[(KIND, "default", "h")]["status"]["currentMetrics"][0]["resource"]
    assert row == {"name": "memory", "current": {"averageValue": "1048576"}}


def test_figures_alone_are_written_rarely() -> None:
    house = House()
    target(house, 2)
    hpa(house)
    memory = sync(house, Memory(), 50, 50)
    before = house.revision
    for i in range(9):
        house.now += 1
        memory = sync(house, memory, 50 + i % 2, 50)
    assert house.revision == before
    house.now += 2
    sync(house, memory, 52, 50)
    assert house.revision == before + 1


def test_behavior_rules() -> None:
    spec = {"minReplicas": 1, "maxReplicas": 50, "behavior": {
        "scaleUp": {"policies": [{"type": "Pods", "value": 2, "periodSeconds": 60}], "stabilizationWindowSeconds": 30},
        "scaleDown": {"selectPolicy": "Disabled"}}}  # fmt: skip
    one = {"spec": spec}
    assert bounded(one, 10, 20, [], [], 100).replicas == 12
    assert bounded(one, 12, 20, [Noted(90, 2)], [], 100) == (
        12,
        "ScaleUpLimit",
        bounded(one, 10, 20, [], [], 1).message,
    )
    assert bounded(one, 10, 5, [], [], 100).replicas == 10
    assert stabilized(one, 3, 9, [Noted(80, 4)], 100).reason == "ScaleUpStabilized"
    assert stabilized(one, 3, 9, [Noted(80, 4)], 100).replicas == 4


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 60)), max_size=25), st.integers(1, 3), st.integers(3, 9))
def test_always_within_bounds_and_never_faster_than_allowed(
    steps: list[tuple[int, int]], least: int, most: int
) -> None:
    house = House()
    target(house, least)
    hpa(house, minReplicas=least, maxReplicas=most)
    memory = Memory()
    for load, pause in steps:
        before = size(house)
        memory = sync(house, memory, *([float(load)] * before))
        assert least <= size(house) <= most
        assert size(house) <= max(before + 4, before * 2)
        pods(house, size(house))
        for i in range(size(house), most):
            house.remove("pods", "default", f"p{i}")
        house.now += pause
