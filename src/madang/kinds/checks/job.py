"""Jobs.

In: the new job and the old one (None on create), with its selector already generated. Out: causes.
"""

from typing import Any

from madang.kinds.causes import Cause
from madang.kinds.checks.faults import immutable, invalid, not_negative, required, unsupported
from madang.kinds.checks.labels import check_label_selector
from madang.kinds.checks.meta import check_meta, check_meta_update
from madang.kinds.checks.pod_spec import check_template
from madang.kinds.checks.workloads import MISMATCH
from madang.kinds.selectors import SelectorError, from_object
from madang.ports.objects import Obj

Spec = dict[str, Any]
_COUNTS = (
    "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
    "backoffLimitPerIndex", "maxFailedIndexes",
)  # fmt: skip
_FIXED = ("completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy")


def check_job(new: Obj, old: Obj | None) -> list[Cause]:
    spec = new.get("spec") or {}
    out = check_meta(new) if old is None else check_meta_update(new, old)
    out += _spec(spec)
    if old is None:
        return out
    before = old.get("spec") or {}
    if spec.get("completionMode") != "Indexed":
        out += immutable("spec.completions", spec.get("completions"), before.get("completions"))
    out += immutable("spec.selector", spec.get("selector"), before.get("selector"))
    out += immutable("spec.template", *_templates(spec, before))
    for name in _FIXED:
        out += immutable(f"spec.{name}", spec.get(name), before.get(name))
    return out


def check_job_status(new: Obj, old: Obj) -> list[Cause]:
    out = check_meta_update(new, old)
    for name in ("active", "succeeded", "failed", "ready", "terminating"):
        out += not_negative(f"status.{name}", (new.get("status") or {}).get(name))
    return out


def _templates(spec: Spec, before: Spec) -> tuple[Any, Any]:
    """A job that is suspended and has not begun may still be told where to run."""
    new, old = spec.get("template"), before.get("template")
    if not (before.get("suspend") and new and old):
        return new, old
    movable = ("nodeSelector", "affinity", "tolerations", "schedulingGates")
    kept = {k: v for k, v in (new.get("spec") or {}).items() if k not in movable}
    kept |= {k: v for k, v in (old.get("spec") or {}).items() if k in movable}
    meta = {k: v for k, v in (new.get("metadata") or {}).items() if k not in ("labels", "annotations")}
    meta |= {k: v for k, v in (old.get("metadata") or {}).items() if k in ("labels", "annotations")}
    return {**new, "spec": kept, **({"metadata": meta} if meta or "metadata" in old else {})}, old


def _spec(spec: Spec) -> list[Cause]:
    out: list[Cause] = []
    for name in _COUNTS:
        out += not_negative(f"spec.{name}", spec.get(name))
    out += _mode(spec)
    out += check_template(spec.get("template"), "spec.template")
    policy = ((spec.get("template") or {}).get("spec") or {}).get("restartPolicy", "")
    path = "spec.template.spec.restartPolicy"
    if policy in ("", "Always"):
        out.append(required(path, 'valid values: "OnFailure", "Never"'))
    elif policy not in ("OnFailure", "Never"):
        out.append(unsupported(path, policy, ("OnFailure", "Never")))
    if spec.get("podFailurePolicy") and policy != "Never":
        out.append(invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified'))
    return out + _selector(spec)


def _mode(spec: Spec) -> list[Cause]:
    mode = spec.get("completionMode")
    if mode is None:
        return []
    if mode not in ("NonIndexed", "Indexed"):
        return [unsupported("spec.completionMode", mode, ("NonIndexed", "Indexed"))]
    if mode == "Indexed":
        if spec.get("completions") is None:
            return [required("spec.completions", "when completion mode is Indexed")]
        if spec.get("parallelism", 0) > 100_000:
            words = "must be less than or equal to 100000 when completion mode is Indexed"
            return [invalid("spec.parallelism", spec["parallelism"], words)]
    return []


def _selector(spec: Spec) -> list[Cause]:
    selector = spec.get("selector")
    out = [required("spec.selector")] if selector is None else check_label_selector(selector, "spec.selector")
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    try:
        if selector is not None and not from_object(selector).matches(labels):
            out.append(invalid("spec.template.metadata.labels", labels, MISMATCH))
    except SelectorError:
        pass  # its fault is named already
    return out
