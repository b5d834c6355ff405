"""Deployments, ReplicaSets, PodTemplates: selectors that match their templates, and how a rollout may go.

In: the new object and the old one (None on create). Out: causes.
"""

import json
from typing import Any

from madang.kinds.causes import Cause
from madang.kinds.checks.faults import (
    each,
    forbidden,
    immutable,
    invalid,
    not_negative,
    one_of,
    required,
    unsupported,
)  # fmt: skip
from madang.kinds.checks.labels import check_label_selector
from madang.kinds.checks.meta import check_meta, check_meta_update
from madang.kinds.checks.pod_spec import check_template
from madang.kinds.names import percent
from madang.kinds.selectors import SelectorError, from_object
from madang.ports.objects import Obj

Spec = dict[str, Any]
MISMATCH = "`selector` does not match template `labels`"


def check_deployment(new: Obj, old: Obj | None) -> list[Cause]:
    spec = new.get("spec") or {}
    out = check_meta(new) if old is None else check_meta_update(new, old)
    out += not_negative("spec.replicas", spec.get("replicas"))
    out += check_selected_template(spec)
    out += _strategy(spec.get("strategy") or {}, "spec.strategy")
    for name in ("minReadySeconds", "revisionHistoryLimit"):
        out += not_negative(f"spec.{name}", spec.get(name))
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None:
        out += not_negative("spec.progressDeadlineSeconds", deadline)
        if deadline <= spec.get("minReadySeconds", 0):
            out.append(invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))
    return out + _same_selector(spec, old)


def check_pod_template(new: Obj, old: Obj | None) -> list[Cause]:
    out = check_meta(new) if old is None else check_meta_update(new, old)
    return out + check_template(new.get("template") or {}, "template")


def check_replica_set(new: Obj, old: Obj | None) -> list[Cause]:
    spec = new.get("spec") or {}
    out = check_meta(new) if old is None else check_meta_update(new, old)
    for name in ("replicas", "minReadySeconds"):
        out += not_negative(f"spec.{name}", spec.get(name))
    return out + check_selected_template(spec) + _same_selector(spec, old)


def check_replication_controller(new: Obj, old: Obj | None) -> list[Cause]:
    """Its selector is a plain map, and may change."""
    spec = new.get("spec") or {}
    out = check_meta(new) if old is None else check_meta_update(new, old)
    for name in ("minReadySeconds", "replicas"):
        out += not_negative(f"spec.{name}", spec.get(name))
    selector = spec.get("selector")
    return out + check_selected_template({**spec, "selector": {"matchLabels": selector} if selector else None})


def check_deployment_status(new: Obj, old: Obj) -> list[Cause]:
    names = (
        "observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas",
        "unavailableReplicas", "terminatingReplicas", "collisionCount",
    )  # fmt: skip
    return check_meta_update(new, old) + _counts(new, names, ("updatedReplicas", "readyReplicas", "availableReplicas"))


def check_replica_set_status(new: Obj, old: Obj) -> list[Cause]:
    names = (
        "replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "terminatingReplicas",
        "observedGeneration",
    )  # fmt: skip
    bounded = ("fullyLabeledReplicas", "readyReplicas", "availableReplicas")
    return check_meta_update(new, old) + _counts(new, names, bounded)


def _counts(obj: Obj, names: tuple[str, ...], bounded: tuple[str, ...]) -> list[Cause]:
    status = obj.get("status") or {}
    out: list[Cause] = []
    for name in names:
        out += not_negative(f"status.{name}", status.get(name))
    for name in bounded:
        if status.get(name, 0) > status.get("replicas", 0):
            out.append(invalid(f"status.{name}", status[name], "cannot be greater than status.replicas"))
    if "availableReplicas" in bounded and status.get("availableReplicas", 0) > status.get("readyReplicas", 0):
        words = "cannot be greater than readyReplicas"
        out.append(invalid("status.availableReplicas", status["availableReplicas"], words))
    return out


def _same_selector(spec: Spec, old: Obj | None) -> list[Cause]:
    if old is None:
        return []
    return immutable("spec.selector", spec.get("selector"), (old.get("spec") or {}).get("selector"))


def check_selected_template(spec: Spec) -> list[Cause]:
    """A selector, and a template of pods that it matches and that run for ever."""
    selector, template = spec.get("selector"), spec.get("template") or {}
    out: list[Cause] = []
    if selector is None:
        out.append(required("spec.selector"))
    else:
        out += check_label_selector(selector, "spec.selector")
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            out.append(invalid("spec.selector", selector, "empty selector is invalid for deployment"))
    try:
        compiled = from_object(selector)
    except SelectorError:
        return [*out, invalid("spec.selector", selector, "invalid label selector")]
    labels = (template.get("metadata") or {}).get("labels")
    if not compiled.everything and not compiled.matches(labels):
        out.append(invalid("spec.template.metadata.labels", labels, MISMATCH))
    out += check_template(template, "spec.template")
    pod = template.get("spec") or {}
    policy = pod.get("restartPolicy")
    if policy and policy != "Always":
        out.append(unsupported("spec.template.spec.restartPolicy", policy, ("Always",)))
    if pod.get("activeDeadlineSeconds") is not None:
        words = "activeDeadlineSeconds in ReplicaSet is not Supported"
        out.append(forbidden("spec.template.spec.activeDeadlineSeconds", words))
    return out


def _strategy(strategy: Spec, path: str) -> list[Cause]:
    kind, rolling = strategy.get("type", ""), strategy.get("rollingUpdate")
    if kind == "Recreate":
        if rolling is None:
            return []
        words = "may not be specified when strategy `type` is 'Recreate'"
        return [forbidden(f"{path}.rollingUpdate", words)]
    if kind == "RollingUpdate":
        if rolling is None:
            return [required(f"{path}.rollingUpdate", "this should be defaulted and never be nil")]
        return _rolling(rolling, f"{path}.rollingUpdate")
    shown = json.dumps({"Type": kind, "RollingUpdate": rolling}, separators=(",", ":"))
    cause = one_of(path, kind or " ", ("Recreate", "RollingUpdate"))[0]
    # The API shows the whole struct here.
    return [cause._replace(message=cause.message.replace(json.dumps(kind or " "), shown, 1))]


def _rolling(rolling: Spec, path: str) -> list[Cause]:
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    out = check_amount_or_percent(unavailable, f"{path}.maxUnavailable")
    out += check_amount_or_percent(surge, f"{path}.maxSurge")
    if _number(unavailable) == 0 and _number(surge) == 0:
        out.append(invalid(f"{path}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0"))
    if isinstance(unavailable, str) and not percent(unavailable) and _number(unavailable) > 100:
        out.append(invalid(f"{path}.maxUnavailable", unavailable, "must not be greater than 100%"))
    return out


def check_amount_or_percent(value: int | str, path: str) -> list[Cause]:
    return each(path, value, percent(value)) if isinstance(value, str) else not_negative(path, value)


def _number(value: int | str) -> int:
    if isinstance(value, int):
        return value
    return int(value[:-1]) if not percent(value) else 0
