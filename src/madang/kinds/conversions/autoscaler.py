"""autoscaling/v1 and autoscaling/v2 HorizontalPodAutoscaler: stored as v2.

v1 knows one CPU target; what it cannot say (other metrics, their readings, behaviour, conditions) travels in
annotations `autoscaling.alpha.kubernetes.io/...`, so that nothing is lost on the way there and back.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from madang.ports.objects import Obj

_PREFIX = "autoscaling.alpha.kubernetes.io/"
_METRICS, _CURRENT, _BEHAVIOR, _CONDITIONS = (
    _PREFIX + name for name in ("metrics", "current-metrics", "behavior", "conditions")
)
# metric type -> (member, fields of the v1 form that stand in the metric identifier)
_MEMBERS = {"Resource": "resource", "ContainerResource": "containerResource", "Pods": "pods", "Object": "object",
            "External": "external"}  # fmt: skip


def from_stored(scaler: Obj) -> Obj:
    """v2 -> v1."""
    spec, status = dict(scaler.get("spec") or {}), dict(scaler.get("status") or {})
    metrics, behavior = spec.pop("metrics", None) or [], spec.pop("behavior", None)
    current, conditions = status.pop("currentMetrics", None) or [], status.pop("conditions", None) or []
    notes: dict[str, str] = {}
    others = [metric for metric in metrics if not _cpu_utilization(metric)]
    for metric in metrics:
        if _cpu_utilization(metric):
            spec["targetCPUUtilizationPercentage"] = metric["resource"]["target"]["averageUtilization"]
    for reading in current:
        found = reading.get("resource") or {}
        if found.get("name") == "cpu" and "averageUtilization" in found.get("current", {}):
            status["currentCPUUtilizationPercentage"] = found["current"]["averageUtilization"]
    if others:
        notes[_METRICS] = _text([_metric_v1(metric, "target", "target") for metric in others])
    if current:
        notes[_CURRENT] = _text([_metric_v1(reading, "current", "current") for reading in current])
    if behavior is not None:
        notes[_BEHAVIOR] = _text(_capital(behavior))
    if conditions:
        notes[_CONDITIONS] = _text(conditions)
    status = {"currentReplicas": 0, "desiredReplicas": 0, **status}
    return {**scaler, "apiVersion": "autoscaling/v1", "metadata": _noted(scaler, notes), "spec": spec, "status": status}


def to_stored(scaler: Obj) -> Obj:
    """v1 -> v2."""
    spec, status = dict(scaler.get("spec") or {}), dict(scaler.get("status") or {})
    notes = (scaler.get("metadata") or {}).get("annotations") or {}
    metrics = [_metric_v2(metric, "target", "target") for metric in _read(notes.get(_METRICS))]
    target = spec.pop("targetCPUUtilizationPercentage", None)
    if target is not None:
        metrics.insert(0, {"type": "Resource", "resource": {
            "name": "cpu", "target": {"type": "Utilization", "averageUtilization": target},
        }})  # fmt: skip
    if metrics:
        spec["metrics"] = metrics
    if behavior := _read(notes.get(_BEHAVIOR)):
        spec["behavior"] = _lower(behavior)
    utilization = status.pop("currentCPUUtilizationPercentage", None)
    current = [_metric_v2(reading, "current", "current") for reading in _read(notes.get(_CURRENT))]
    if not current and utilization is not None:
        current = [{"type": "Resource", "resource": {
            "name": "cpu", "current": {"averageUtilization": utilization},
        }}]  # fmt: skip
    status["currentMetrics"] = current or None
    if conditions := _read(notes.get(_CONDITIONS)):
        status["conditions"] = conditions
    if not status.get("currentReplicas"):
        status.pop("currentReplicas", None)
    status = {"desiredReplicas": 0, **status}
    return {**scaler, "apiVersion": "autoscaling/v2", "metadata": _noted(scaler, {}), "spec": spec, "status": status}


def _cpu_utilization(metric: Mapping[str, Any]) -> bool:
    found = metric.get("resource") or {}
    return found.get("name") == "cpu" and "averageUtilization" in (found.get("target") or {})


def _noted(scaler: Obj, notes: Mapping[str, str]) -> Obj:
    """The metadata with the annotations of the round trip replaced."""
    meta = dict(scaler.get("metadata") or {})
    kept = {k: v for k, v in (meta.pop("annotations", None) or {}).items()
            if k not in (_METRICS, _CURRENT, _BEHAVIOR, _CONDITIONS)}  # fmt: skip
    if kept or notes:
        meta["annotations"] = {**kept, **notes}
    return meta


def _metric_v1(metric: Mapping[str, Any], holder: str, word: str) -> Obj:
    """`target: {averageUtilization: 80}` becomes `targetAverageUtilization: 80`; the identifier is flattened."""
    member = _MEMBERS[metric["type"]]
    source = dict(metric.get(member) or {})
    measured = source.pop(holder, None) or {}
    identifier = source.pop("metric", None)
    out: Obj = {"target": source.pop("describedObject")} if "describedObject" in source else {}
    out |= source
    if identifier:
        out["metricName"] = identifier.get("name", "")
        if "selector" in identifier:
            out["metricSelector" if member == "external" else "selector"] = identifier["selector"]
    for key, value in measured.items():
        if key != "type":
            plain = member == "object" and key == "averageValue"
            out[key if plain else word + key[0].upper() + key[1:]] = value
    return {"type": metric["type"], member: out}


def _metric_v2(metric: Mapping[str, Any], holder: str, word: str) -> Obj:
    member = _MEMBERS.get(metric.get("type", ""), "resource")
    source = dict(metric.get(member) or {})
    measured: Obj = {}
    out: Obj = {}
    if member == "object":
        out["describedObject"] = source.pop("target", {})
        if "averageValue" in source:
            measured["averageValue"] = source.pop("averageValue")
    if "metricName" in source:
        identifier = {"name": source.pop("metricName")}
        selector = source.pop("selector", None) or source.pop("metricSelector", None)
        out["metric"] = identifier | ({"selector": selector} if selector else {})
    for key in [key for key in source if key.startswith(word) and key != word]:
        name = key[len(word)].lower() + key[len(word) + 1 :]
        measured[name] = source.pop(key)
    if holder == "target":
        measured["type"] = next((kind for key, kind in (
            ("averageUtilization", "Utilization"), ("averageValue", "AverageValue"),
        ) if key in measured), "Value")  # fmt: skip
    return {"type": metric.get("type", ""), member: {**out, **source, holder: measured}}


def _capital(value: Any) -> Any:
    """The behaviour as Go writes its internal type: every name begins with a capital letter."""
    if isinstance(value, Mapping):
        return {key[0].upper() + key[1:]: _capital(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_capital(item) for item in value]
    return value


def _lower(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key[0].lower() + key[1:]: _lower(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_lower(item) for item in value]
    return value


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _read(text: str | None) -> Any:
    """An annotation's content; what does not parse says nothing (as the API treats it)."""
    try:
        return json.loads(text) if text else []
    except ValueError:
        return []
