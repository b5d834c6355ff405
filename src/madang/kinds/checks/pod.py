"""Pods: made, changed, and their status.

In: the new pod and the old one (None on create). Out: causes. A pod's spec is all but immutable; the refusal of any
other change shows what differs (`pod_difference`).
"""

from typing import Any

from madang.kinds.causes import Cause
from madang.kinds.checks.faults import forbidden, invalid
from madang.kinds.checks.meta import check_meta, check_meta_update
from madang.kinds.checks.pod_difference import difference
from madang.kinds.checks.pod_spec import MAX_SECONDS, check_pod_spec
from madang.kinds.names import between, dns_subdomain
from madang.ports.objects import Obj

UPDATABLE = (
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
Spec = dict[str, Any]


def check_pod(new: Obj, old: Obj | None) -> list[Cause]:
    if old is None:
        return check_meta(new, dns_subdomain) + check_pod_spec(new.get("spec") or {}, "spec")
    out = check_meta_update(new, old)
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    if spec == before:
        return out
    for name, words in (("containers", "containers"), ("initContainers", "init containers")):
        found = _same_containers(spec.get(name) or [], before.get(name) or [], f"spec.{name}", words)
        if found and found[-1].reason == "FieldValueForbidden":
            return out + found
        out += found
    out += _deadline(spec.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds"))
    out += _tolerations(spec.get("tolerations") or [], before.get("tolerations") or [])
    out += _gates(spec, before)
    return out + _rest(spec, before)


def check_pod_status(new: Obj, old: Obj) -> list[Cause]:
    out = check_meta_update(new, old)
    spec, status, before = new.get("spec") or {}, new.get("status") or {}, old.get("status") or {}
    if (name := status.get("nominatedNodeName")) and (faults := dns_subdomain(name)):
        out += [invalid("status.nominatedNodeName", name, w) for w in faults]
    for field, containers in (("containerStatuses", "containers"), ("initContainerStatuses", "initContainers")):
        # A container that has ended for good stays ended.
        ended = {s["name"] for s in before.get(field) or () if (s.get("state") or {}).get("terminated")}
        policy = spec.get("restartPolicy")
        for i, found in enumerate(status.get(field) or ()):
            if found["name"] not in ended or (found.get("state") or {}).get("terminated"):
                continue
            if policy == "Never" and containers == "containers":
                path = f"status.{field}[{i}].state"
                out.append(forbidden(path, "may not be transitioned to non-terminated state"))
    return out


def _same_containers(new: list[Spec], old: list[Spec], path: str, words: str) -> list[Cause]:
    if len(new) != len(old):
        return [forbidden(path, f"pod updates may not add or remove {words.rpartition(' ')[2]}")]
    out: list[Cause] = []
    for i, container in enumerate(new):
        image = container.get("image", "")
        if not image:
            out.append(Cause(f"{path}[{i}].image", "FieldValueRequired", "Required value"))
        elif image != image.strip():
            out.append(invalid(f"{path}[{i}].image", image, "must not have leading or trailing whitespace"))
    return out


def _deadline(new: int | None, old: int | None) -> list[Cause]:
    path = "spec.activeDeadlineSeconds"
    if new is None:
        return [] if old is None else [invalid(path, None, "must not update from a positive integer to nil value")]
    if not 0 <= new <= MAX_SECONDS:
        return [invalid(path, new, between(0, MAX_SECONDS))]
    return [invalid(path, new, "must be less than or equal to previous value")] if old is not None and old < new else []


def _tolerations(new: list[Spec], old: list[Spec]) -> list[Cause]:
    """More may come, and those there may get more seconds; none may go."""
    plain = [_without_seconds(t) for t in new]
    if all(_without_seconds(t) in plain for t in old):
        return []
    words = "existing toleration can not be modified except its tolerationSeconds"
    return [forbidden("spec.tolerations", words)]


def _without_seconds(toleration: Spec) -> Spec:
    return {k: v for k, v in toleration.items() if k != "tolerationSeconds"}


def _gates(new: Spec, old: Spec) -> list[Cause]:
    before = {g["name"] for g in old.get("schedulingGates") or ()}
    return [
        forbidden(
            f"spec.schedulingGates[{i}]", f"only deletion is allowed, but found new scheduling gate '{g['name']}'"
        )
        for i, g in enumerate(new.get("schedulingGates") or ())
        if g["name"] not in before
    ]


def _rest(new: Spec, old: Spec) -> list[Cause]:
    """Whatever else differs."""
    munged = {**new}
    for name in ("activeDeadlineSeconds", "tolerations", "schedulingGates"):
        munged.pop(name, None)
        if name in old:
            munged[name] = old[name]
    for name in ("containers", "initContainers"):
        if new.get(name):
            munged[name] = [{**c, "image": b.get("image", "")} for c, b in zip(new[name], old.get(name) or ())]
    grace = old.get("terminationGracePeriodSeconds")
    if grace is not None and grace < 0 and new.get("terminationGracePeriodSeconds") == 1:
        munged["terminationGracePeriodSeconds"] = grace
    out: list[Cause] = []
    if old.get("schedulingGates"):
        # A pod that nobody has looked at yet may still be told where to go.
        labels, before = new.get("nodeSelector") or {}, old.get("nodeSelector") or {}
        if not before.items() <= labels.items():
            words = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
            out.append(invalid("spec.nodeSelector", labels, words))
        _copy(munged, old, "nodeSelector")
    if munged == old:
        return out
    words = f"pod updates may not change fields other than {UPDATABLE}\n{difference(old, munged)}"
    return [*out, forbidden("spec", words)]


def _copy(target: Spec, source: Spec, name: str) -> None:
    target.pop(name, None)
    if name in source:
        target[name] = source[name]
