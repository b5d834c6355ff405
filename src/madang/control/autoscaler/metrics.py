"""From measured use to a number of replicas: the arithmetic of autoscaling/v2.

In: pods, what they used, a metric's target. Out: a `Proposal`, or a `MetricError` in the controller's own words
(kubernetes pkg/controller/podautoscaler replica_calculator.go). Amounts are millicores and bytes times 1000, so that
both are whole thousandths, as the API counts.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from madang.control import pods as pod
from madang.control.instant import seconds
from madang.kinds.quantity import parse
from madang.ports.objects import Obj
from madang.ports.streams import PodUsage, Usage

CPU = "cpu"
TOLERANCE = 0.1
# Kubernetes' two periods (cpu-initialization-period, initial-readiness-delay) say how long programs may take to start
# and to be ready for the first time. Programs start no quicker for being looked at more often: both stay as they are.
STARTING_S = 300.0  # a young pod's CPU is believed only once it has been ready for a whole window
NEVER_READY_S = 30.0
# What does not stay is the window: there it is 15 to 60 s long, so that "ready for a whole window" also gives a program
# time to settle, and dilutes what is left of its start. Here it is two seconds, and would be nearly all start: so a
# program is given these seconds besides. A step of load is believed two seconds after it came all the same.
SETTLING_S = 3.0
STAMP_S = 1.0  # hours are written in whole seconds, cut off: it may have been so much later
Amounts = dict[str, float]
Ratio = Callable[[Amounts], float]  # use over target


class MetricError(Exception):
    """The metric says nothing now."""


@dataclass(frozen=True, slots=True)
class Proposal:
    replicas: int
    name: str  # as the rescale's reason calls it
    status: Obj  # the row of status.currentMetrics


@dataclass(frozen=True, slots=True)
class Groups:
    ready: int
    unready: list[str]
    missing: list[str]
    ignored: list[str]


@dataclass(frozen=True, slots=True)
class Load:
    """What one metric looks at. `container` empty: the whole pod."""

    resource: str
    container: str
    pods: Sequence[Obj]
    usage: Mapping[str, PodUsage]
    current: int
    tolerance_up: float
    tolerance_down: float
    now: float

    def tolerated(self, ratio: float) -> bool:
        return 1.0 - self.tolerance_down <= ratio <= 1.0 + self.tolerance_up


def amount(resource: str, usage: Usage) -> float:
    return usage.cpu_cores * 1000.0 if resource == CPU else usage.memory_bytes * 1000.0


def measured(load: Load) -> tuple[Amounts, dict[str, Usage]]:
    """By pod name: the amount, and one sample that tells its hour and window."""
    amounts: Amounts = {}
    sample: dict[str, Usage] = {}
    for p in load.pods:
        name = p["metadata"]["name"]
        found = load.usage.get(name)
        if found is None or not found.containers:
            continue
        if load.container and load.container not in found.containers:
            continue
        chosen = [found.containers[load.container]] if load.container else list(found.containers.values())
        amounts[name] = sum(amount(load.resource, u) for u in chosen)
        sample[name] = chosen[0]
    return amounts, sample


def grouped(load: Load, sample: Mapping[str, Usage]) -> Groups:
    groups = Groups(0, [], [], [])
    ready = 0
    for p in load.pods:
        name = p["metadata"]["name"]
        if pod.deleting(p) or pod.phase(p) == "Failed":
            groups.ignored.append(name)
        elif pod.phase(p) == "Pending":
            groups.unready.append(name)
        elif name not in sample:
            groups.missing.append(name)
        elif load.resource == CPU and not settled(p, sample[name], load.now):
            groups.unready.append(name)
        else:
            ready += 1
    return Groups(ready, groups.unready, groups.missing, groups.ignored)


def settled(p: Obj, sample: Usage, now: float) -> bool:
    """Whether a pod's CPU use means load, not a start."""
    condition, start = pod.ready_condition(p), (p.get("status") or {}).get("startTime")
    if condition is None or not start:
        return False
    changed, ready = seconds(condition.get("lastTransitionTime")), bool(condition["status"] == "True")
    begun = max(seconds(start), restarted(p))
    if max(begun, changed) > now:  # the clock was set back since, and tells nothing of its age
        return ready
    if begun + STARTING_S > now:
        return ready and sample.at_s - sample.window_s >= changed + STAMP_S + SETTLING_S
    return ready or seconds(start) + NEVER_READY_S <= changed


def restarted(p: Obj) -> float:
    """When the youngest of its containers started: in a pod of any age that is a start like the first one. Kubernetes
    does not look at this, since one start among many seconds does not show there."""
    status = p.get("status") or {}
    told = [c for key in ("containerStatuses", "initContainerStatuses") for c in status.get(key) or ()]
    running = [(c.get("state") or {}).get("running") or {} for c in told]
    return max((seconds(r.get("startedAt")) for r in running), default=0.0)


def requests(load: Load) -> Amounts:
    found: Amounts = {}
    for p in load.pods:
        total = 0.0
        for container in containers(p, load.container):
            text = ((container.get("resources") or {}).get("requests") or {}).get(load.resource)
            if text is None:
                where = f"container {container['name']} of Pod {p['metadata']['name']}"
                raise MetricError(f"missing request for {load.resource} in {where}")
            total += parse(str(text)).millis
        found[p["metadata"]["name"]] = total
    return found


def containers(p: Obj, only: str) -> Iterable[Obj]:
    sidecars = [c for c in p["spec"].get("initContainers") or () if c.get("restartPolicy") == "Always"]
    every = [*p["spec"].get("containers", ()), *sidecars]
    return [c for c in every if c["name"] == only] if only else every


def looked_at(load: Load) -> tuple[Amounts, Groups]:
    amounts, sample = measured(load)
    if not amounts:
        raise MetricError(
            f"unable to get metrics for resource {load.resource}: no metrics returned from resource metrics API"
        )
    if not load.pods:
        raise MetricError("no pods returned by selector while calculating replica count")
    groups = grouped(load, sample)
    for name in (*groups.ignored, *groups.unready):
        amounts.pop(name, None)
    if not amounts:
        raise MetricError("did not receive metrics for targeted pods (pods might be unready)")
    return amounts, groups


def by_utilization(load: Load, target: int) -> tuple[int, int, float]:
    """(replicas, utilization in percent, average amount)."""
    amounts, groups = looked_at(load)
    asked = requests(load)

    def ratio_of(some: Amounts) -> float:
        total = sum(asked[name] for name in some)
        if not total:
            raise MetricError("no metrics returned matched known pods")
        return int(sum(some.values()) * 100 / total) / target

    utilization = round(ratio_of(amounts) * target)
    average = sum(amounts.values()) / len(amounts)
    fallback = {name: asked[name] * max(100, target) / 100 for name in groups.missing}
    return proposed(load, amounts, groups, ratio_of, fallback), utilization, average


def by_average(load: Load, target: float) -> tuple[int, float]:
    amounts, groups = looked_at(load)

    def ratio_of(some: Amounts) -> float:
        return sum(some.values()) / len(some) / target

    average = sum(amounts.values()) / len(amounts)
    return proposed(load, amounts, groups, ratio_of, dict.fromkeys(groups.missing, target)), average


def proposed(load: Load, amounts: Amounts, groups: Groups, ratio_of: Ratio, fallback: Amounts) -> int:
    """Pods without a word are assumed to work fully when there is less load, and not at all when there is more: so
    that a guess never moves further than what was measured."""
    ratio = ratio_of(amounts)
    with_unready = bool(groups.unready) and ratio > 1.0
    if not with_unready and not groups.missing:
        return load.current if load.tolerated(ratio) else math.ceil(ratio * groups.ready)
    guessed = dict(amounts)
    if ratio < 1.0:
        guessed |= fallback
    elif ratio > 1.0:
        guessed |= dict.fromkeys(groups.missing, 0.0)
    if with_unready:
        guessed |= dict.fromkeys(groups.unready, 0.0)
    again = ratio_of(guessed)
    if load.tolerated(again) or (ratio < 1.0 < again) or (again < 1.0 < ratio):
        return load.current
    replicas = math.ceil(again * len(guessed))
    wrong_way = replicas > load.current if again < 1.0 else replicas < load.current
    return load.current if wrong_way else replicas
