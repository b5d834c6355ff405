"""What holds a new size back: bounds, stabilization windows, rates of change.

In: the HPA's behavior, the recommendation, what was recommended and done before. Out: the size that may be, and the
conditions' words (kubernetes podautoscaler horizontal.go normalizeDesiredReplicas*).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from madang.ports.objects import Obj

DOWN_WINDOW_S = 300
UP_RULES: Mapping[str, Any] = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ],
}
DOWN_RULES: Mapping[str, Any] = {
    "stabilizationWindowSeconds": DOWN_WINDOW_S,
    "selectPolicy": "Max",
    "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
}


class Noted(NamedTuple):
    """At some hour: a recommended size, or by how much was scaled."""

    at_s: float
    replicas: int


class Held(NamedTuple):
    """A size and why it is that: (reason, message) of a condition, and whether it was held back."""

    replicas: int
    reason: str
    message: str


WITHIN = "DesiredWithinRange", "the desired count is within the acceptable range"
READY = "ReadyForNewScale", "recommended size matches current size"
TOO_MANY = "TooManyReplicas", "the desired replica count is more than the maximum replica count"
TOO_FEW = "TooFewReplicas", "the desired replica count is less than the minimum replica count"
UP_RATE = "ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate"
DOWN_RATE = "ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate"
DOWN_HELD = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
)
UP_HELD = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
)


def rules(hpa: Obj, way: str) -> Mapping[str, Any]:
    """The HPA's rules for scaleUp or scaleDown, what it leaves out filled in."""
    given = (hpa["spec"].get("behavior") or {}).get(way) or {}
    return {**(UP_RULES if way == "scaleUp" else DOWN_RULES), **{k: v for k, v in given.items() if v is not None}}


def stabilized(hpa: Obj, current: int, wanted: int, recent: Sequence[Noted], now: float) -> Held:
    """Up only as far as every recent recommendation went, down only as low as none was above."""
    up_s = int(rules(hpa, "scaleUp")["stabilizationWindowSeconds"])
    down_s = int(rules(hpa, "scaleDown")["stabilizationWindowSeconds"])
    lowest = min((n.replicas for n in recent if n.at_s > now - up_s), default=wanted)
    highest = max((n.replicas for n in recent if n.at_s > now - down_s), default=wanted)
    floor, ceiling = min(lowest, wanted), max(highest, wanted)
    size = max(current, floor)  # not below what every recommendation asked for
    size = min(size, ceiling)  # and not above what any of them did
    if size == wanted:
        return Held(size, *READY)
    return Held(size, *(DOWN_HELD if wanted < size else UP_HELD))


def bounded(hpa: Obj, current: int, wanted: int, ups: Sequence[Noted], downs: Sequence[Noted], now: float) -> Held:
    least, most = int(hpa["spec"].get("minReplicas", 1)), int(hpa["spec"]["maxReplicas"])
    if wanted > current:
        rate = up_limit(rules(hpa, "scaleUp"), current, ups, downs, now)
        ceiling, why = (rate, UP_RATE) if rate < most else (most, TOO_MANY)
        if wanted > ceiling:
            return Held(ceiling, *why)
    elif wanted < current:
        rate = down_limit(rules(hpa, "scaleDown"), current, ups, downs, now)
        floor, why = (rate, DOWN_RATE) if rate > least else (least, TOO_FEW)
        if wanted < floor:
            return Held(floor, *why)
    if wanted < least:
        return Held(least, *TOO_FEW)
    return Held(wanted, *WITHIN) if wanted <= most else Held(most, *TOO_MANY)


def changed(events: Iterable[Noted], period_s: int, now: float) -> int:
    return sum(e.replicas for e in events if e.at_s > now - period_s)


def up_limit(rule: Mapping[str, Any], current: int, ups: Sequence[Noted], downs: Sequence[Noted], now: float) -> int:
    if rule["selectPolicy"] == "Disabled":
        return current
    proposals = []
    for policy in rule["policies"]:
        period = int(policy["periodSeconds"])
        start = current - changed(ups, period, now) + changed(downs, period, now)
        value = int(policy["value"])
        proposals.append(start + value if policy["type"] == "Pods" else math.ceil(start * (1 + value / 100)))
    return max(current, min(proposals) if rule["selectPolicy"] == "Min" else max(proposals))


def down_limit(rule: Mapping[str, Any], current: int, ups: Sequence[Noted], downs: Sequence[Noted], now: float) -> int:
    if rule["selectPolicy"] == "Disabled":
        return current
    proposals = []
    for policy in rule["policies"]:
        period = int(policy["periodSeconds"])
        start = current - changed(ups, period, now) + changed(downs, period, now)
        value = int(policy["value"])
        proposals.append(start - value if policy["type"] == "Pods" else int(start * (1 - value / 100)))
    return min(current, max(proposals) if rule["selectPolicy"] == "Min" else min(proposals))


def longest_s(hpa: Obj) -> int:
    """How far back anything must be remembered."""
    found = [DOWN_WINDOW_S]
    for way in ("scaleUp", "scaleDown"):
        rule = rules(hpa, way)
        found += [int(rule["stabilizationWindowSeconds"]), *(int(p["periodSeconds"]) for p in rule["policies"])]
    return max(found)
