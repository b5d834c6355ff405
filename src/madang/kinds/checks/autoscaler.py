"""HorizontalPodAutoscalers (autoscaling/v2).

In: the new object and the old one (None on create). Out: causes.
"""

from typing import Any

from madang.kinds.causes import Cause
from madang.kinds.checks.faults import NEGATIVE, forbidden, invalid, one_of, required, unsupported
from madang.kinds.checks.meta import check_meta, check_meta_update
from madang.kinds.checks.resources import amount
from madang.ports.objects import Obj

Part = dict[str, Any]
MAX_WINDOW_S, MAX_PERIOD_S = 3600, 1800
SOURCES = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}


def check_autoscaler(new: Obj, old: Obj | None) -> list[Cause]:
    spec = new.get("spec") or {}
    out = check_meta(new) if old is None else check_meta_update(new, old)
    low, high = spec.get("minReplicas"), spec.get("maxReplicas", 0)
    if low is not None and low < 1:
        out.append(invalid("spec.minReplicas", low, "must be greater than or equal to 1"))
    if high < 1:
        out.append(invalid("spec.maxReplicas", high, "must be greater than 0"))
    if low is not None and high < low:
        out.append(invalid("spec.maxReplicas", high, "must be greater than or equal to `minReplicas`"))
    out += _target(spec.get("scaleTargetRef") or {}, "spec.scaleTargetRef")
    for i, metric in enumerate(spec.get("metrics") or ()):
        out += _metric(metric, f"spec.metrics[{i}]")
    for name in ("scaleUp", "scaleDown"):
        if rules := (spec.get("behavior") or {}).get(name):
            out += _rules(rules, f"spec.behavior.{name}")
    return out


def check_autoscaler_status(new: Obj, old: Obj) -> list[Cause]:
    out = check_meta_update(new, old)
    for name in ("currentReplicas", "desiredReplicas"):
        count = (new.get("status") or {}).get(name, 0)
        if count < 0:
            out.append(invalid(f"status.{name}", count, NEGATIVE))
    return out


def _target(ref: Part, path: str) -> list[Cause]:
    out = [required(f"{path}.{f}") for f in ("kind", "name") if not ref.get(f)]
    version = ref.get("apiVersion", "")
    if "/" not in version and ref.get("kind") != "ReplicationController":
        out.append(invalid(f"{path}.apiVersion", version, "apiVersion must specify API group"))
    return out


def _metric(metric: Part, path: str) -> list[Cause]:
    kind = metric.get("type", "")
    if not kind:
        return [required(f"{path}.type", "must specify a metric source type")]
    if kind not in SOURCES:
        return [unsupported(f"{path}.type", kind, SOURCES)]
    out: list[Cause] = []
    for name in SOURCES.values():
        if metric.get(name) is not None and name != SOURCES[kind]:
            words = "must specify metric source type"
            out.append(forbidden(f"{path}.{name}", f"{words} {name[:1].upper()}{name[1:]}"))
    source = metric.get(SOURCES[kind])
    if source is None:
        words = "must populate information for the given metric source"
        return [*out, required(f"{path}.{SOURCES[kind]}", words)]
    return out + _source(kind, source, f"{path}.{SOURCES[kind]}")


def _source(kind: str, source: Part, path: str) -> list[Cause]:
    out: list[Cause] = []
    target, here = source.get("target") or {}, f"{path}.target"
    if kind in ("Resource", "ContainerResource"):
        if kind == "ContainerResource" and not source.get("container"):
            out.append(required(f"{path}.container", "must specify a container"))
        if not source.get("name"):
            out.append(required(f"{path}.name", "must specify a resource name"))
        out += _amounts(target, here)
        share, value = target.get("averageUtilization"), target.get("averageValue")
        if share is None and value is None:
            words = "must set either a target raw value or a target utilization"
            out.append(required(f"{here}.averageUtilization", words))
        elif share is not None and value is not None:
            words = "may not set both a target raw value and a target utilization"
            out.append(forbidden(f"{here}.averageValue", words))
        return out
    if not (source.get("metric") or {}).get("name"):
        out.append(required(f"{path}.metric.name", "must specify a metric name"))
    out += _amounts(target, here)
    if kind == "Pods" and target.get("averageValue") is None:
        out.append(required(f"{here}.averageValue", "must specify a positive target averageValue"))
    return out


def _amounts(target: Part, path: str) -> list[Cause]:
    kind = target.get("type", "")
    out: list[Cause] = []
    if not kind:
        out.append(required(f"{path}.type", "must specify a metric target type"))
    elif kind not in ("Utilization", "Value", "AverageValue"):
        out.append(invalid(f"{path}.type", kind, "must be either Utilization, Value, or AverageValue"))
    for name in ("value", "averageValue"):
        if target.get(name) is not None and amount(target[name]).nanos <= 0:
            out.append(invalid(f"{path}.{name}", str(amount(target[name])), "must be positive"))
    share = target.get("averageUtilization")
    if share is not None and share < 1:
        out.append(invalid(f"{path}.averageUtilization", share, "must be greater than 0"))
    return out


def _rules(rules: Part, path: str) -> list[Cause]:
    out: list[Cause] = []
    window = rules.get("stabilizationWindowSeconds")
    if window is not None and window < 0:
        out.append(invalid(f"{path}.stabilizationWindowSeconds", window, "must be greater than or equal to zero"))
    if window is not None and window > MAX_WINDOW_S:
        words = f"must be less than or equal to {MAX_WINDOW_S}"
        out.append(invalid(f"{path}.stabilizationWindowSeconds", window, words))
    allowed = ("Disabled", "Max", "Min")
    out += one_of(f"{path}.selectPolicy", rules.get("selectPolicy"), allowed, needed=False)
    if not rules.get("policies"):
        out.append(required(f"{path}.policies", "must specify at least one Policy"))
    for i, policy in enumerate(rules.get("policies") or ()):
        here = f"{path}.policies[{i}]"
        out += one_of(f"{here}.type", policy.get("type"), ("Percent", "Pods"))
        if policy.get("value", 0) <= 0:
            out.append(invalid(f"{here}.value", policy.get("value", 0), "must be greater than zero"))
        period = policy.get("periodSeconds", 0)
        if period <= 0:
            out.append(invalid(f"{here}.periodSeconds", period, "must be greater than zero"))
        if period > MAX_PERIOD_S:
            words = f"must be less than or equal to {MAX_PERIOD_S}"
            out.append(invalid(f"{here}.periodSeconds", period, words))
    return out
