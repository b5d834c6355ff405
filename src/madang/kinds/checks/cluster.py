"""The kinds around pods: Namespace, ServiceAccount, Node, Event, Lease, RuntimeClass, PriorityClass.

In: the new object and the old one (None on create). Out: causes.
"""

from madang.kinds.causes import Cause
from madang.kinds.checks.faults import each, forbidden, immutable, invalid, not_negative, one_of, required
from madang.kinds.checks.labels import check_labels
from madang.kinds.checks.meta import check_meta, check_meta_update
from madang.kinds.checks.resources import amount
from madang.kinds.checks.scheduling import check_taints, check_tolerations
from madang.kinds.names import cidr, dns_label, qualified_name
from madang.ports.objects import Obj

MAX_PRIORITY = 1_000_000_000
SYSTEM_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def check_namespace(new: Obj, old: Obj | None) -> list[Cause]:
    if old is not None:
        return check_meta_update(new, old)
    out = check_meta(new, dns_label, namespaced=False)
    for name in (new.get("spec") or {}).get("finalizers") or ():
        out += each("spec.finalizers", name, qualified_name(name))
        if "/" not in name and name != "kubernetes":
            words = "name is neither a standard finalizer name nor is it fully qualified"
            out.append(invalid("spec.finalizers", name, words))
    return out


def check_service_account(new: Obj, old: Obj | None) -> list[Cause]:
    return check_meta(new) if old is None else check_meta_update(new, old)


def check_node(new: Obj, old: Obj | None) -> list[Cause]:
    spec = new.get("spec") or {}
    out = check_meta(new, namespaced=False) if old is None else check_meta_update(new, old)
    out += check_taints(spec.get("taints") or [], "spec.taints")
    for i, block in enumerate(spec.get("podCIDRs") or ()):
        out += each(f"spec.podCIDRs[{i}]", block, cidr(block))
    out += _capacity(new)
    if old is None:
        return out
    before = old.get("spec") or {}
    if before.get("podCIDRs") and before["podCIDRs"] != spec.get("podCIDRs"):
        words = 'node updates may not change podCIDR except from "" to valid'
        out.append(forbidden("spec.podCIDRs", words))
    if before.get("providerID") and before["providerID"] != spec.get("providerID"):
        words = 'node updates may not change providerID except from "" to valid'
        out.append(forbidden("spec.providerID", words))
    return out


def check_node_status(new: Obj, old: Obj) -> list[Cause]:
    return check_meta_update(new, old) + _capacity(new)


def _capacity(obj: Obj) -> list[Cause]:
    out: list[Cause] = []
    for field in ("capacity", "allocatable"):
        for name, text in ((obj.get("status") or {}).get(field) or {}).items():
            path = f"status.{field}.{name}"
            out += each(path, name, qualified_name(name))
            if amount(text).nanos < 0:
                out.append(invalid(path, str(amount(text)), "must be greater than or equal to 0"))
    return out


def check_event(new: Obj, old: Obj | None) -> list[Cause]:
    out = check_meta(new) if old is None else check_meta_update(new, old)
    about, namespace = new.get("involvedObject") or {}, (new.get("metadata") or {}).get("namespace", "")
    place = about.get("namespace", "")
    # What belongs to no namespace is spoken of in `default`.
    if place != namespace and not (not place and namespace in ("", "default", "kube-system")):
        out.append(invalid("involvedObject.namespace", place, "does not match event.namespace"))
    if old is None and new.get("eventTime"):
        for field, path in (("reportingComponent", "reportingController"), ("reportingInstance", "reportingInstance")):
            if not new.get(field):
                out.append(required(path))
        for field in ("action", "reason"):
            if not new.get(field):
                out.append(required(field))
        out += one_of("type", new.get("type"), ("Normal", "Warning"))
    return out


def check_lease(new: Obj, old: Obj | None) -> list[Cause]:
    out = check_meta(new) if old is None else check_meta_update(new, old)
    spec = new.get("spec") or {}
    seconds = spec.get("leaseDurationSeconds")
    if seconds is not None and seconds <= 0:
        out.append(invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0"))
    return out + not_negative("spec.leaseTransitions", spec.get("leaseTransitions"))


def check_runtime_class(new: Obj, old: Obj | None) -> list[Cause]:
    handler = new.get("handler", "")
    if old is not None:
        return check_meta_update(new, old) + immutable("handler", handler, old.get("handler", ""))
    out = check_meta(new, namespaced=False) + each("handler", handler, dns_label(handler))
    scheduling = new.get("scheduling") or {}
    out += check_labels(scheduling.get("nodeSelector"), "scheduling.nodeSelector")
    return out + check_tolerations(scheduling.get("tolerations") or [], "scheduling.tolerations")


def check_priority_class(new: Obj, old: Obj | None) -> list[Cause]:
    name, value = (new.get("metadata") or {}).get("name", ""), new.get("value", 0)
    if old is not None:
        out = check_meta_update(new, old)
        if value != old.get("value", 0):
            out.append(forbidden("value", "may not be changed in an update."))
        policy = new.get("preemptionPolicy")
        return out + immutable("preemptionPolicy", policy, old.get("preemptionPolicy"))
    out = check_meta(new, namespaced=False)
    if name.startswith("system-"):
        if SYSTEM_PRIORITIES.get(name) != value:
            words = "priority class names with 'system-' prefix are reserved for system use only"
            out.append(forbidden("metadata.name", words))
    elif value > MAX_PRIORITY:
        words = f"maximum allowed value of a user defined priority is {MAX_PRIORITY}"
        out.append(forbidden("value", words))
    allowed = ("Never", "PreemptLowerPriority")
    return out + one_of("preemptionPolicy", new.get("preemptionPolicy"), allowed, needed=False)
