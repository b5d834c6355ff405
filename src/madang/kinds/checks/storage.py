"""Claims, volumes and storage classes: what they must say, and what of it may change later.

In: the new object and the old one (None on create). Out: causes, in the API's order and words.
"""

from typing import Any

from madang.kinds.causes import Cause
from madang.kinds.checks.claim_spec import POSITIVE, check_claim_spec, check_class, check_modes, check_volume_mode
from madang.kinds.checks.faults import each, forbidden, immutable, invalid, one_of, required, unsupported
from madang.kinds.checks.labels import check_expression
from madang.kinds.checks.meta import check_meta, check_meta_update
from madang.kinds.checks.pod_difference import hunks, spec_lines
from madang.kinds.checks.resources import amount
from madang.kinds.checks.scheduling import check_node_selector
from madang.kinds.checks.volumes import check_volume_source
from madang.kinds.names import qualified_name
from madang.ports.objects import Obj

# Everything of a volume's spec that is not its source.
BESIDE_SOURCE = frozenset({
    "capacity", "accessModes", "claimRef", "persistentVolumeReclaimPolicy", "storageClassName", "mountOptions",
    "volumeMode", "nodeAffinity", "volumeAttributesClassName",
})  # fmt: skip


def check_claim(new: Obj, old: Obj | None) -> list[Cause]:
    spec = new.get("spec") or {}
    if old is None:
        return check_meta(new) + check_claim_spec(spec, "spec")
    out = check_meta_update(new, old) + check_claim_spec(spec, "spec")
    return out + _claim_changes(new, old)


def _claim_changes(new: Obj, old: Obj) -> list[Cause]:
    """Only who binds it names its volume; a bound one may grow; who lacked a class may be given one."""
    spec, before = dict(new.get("spec") or {}), dict(old.get("spec") or {})
    wanted, had = _size(spec), _size(before)
    if not before.get("volumeName"):
        _copy(before, spec, "volumeName")
    if before.get("storageClassName") is None and not before.get("volumeName"):
        _copy(before, spec, "storageClassName")
    if (old.get("status") or {}).get("phase") == "Bound":
        requests = {**((spec.get("resources") or {}).get("requests") or {}), "storage": had}
        spec["resources"] = {**(spec.get("resources") or {}), "requests": requests}
    _copy(spec, before, "volumeAttributesClassName")
    out: list[Cause] = []
    if spec != before:
        words = (
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
        )
        out.append(forbidden("spec", f"{words}\n{_difference(before, spec, 'PersistentVolumeClaimSpec')}"))
    if wanted is not None and had is not None and amount(wanted).nanos < amount(had).nanos:
        capacity = ((old.get("status") or {}).get("capacity") or {}).get("storage", "0")
        if amount(wanted).nanos <= amount(capacity).nanos:
            out.append(forbidden("spec.resources.requests.storage", "field can not be less than status.capacity"))
    return out + immutable("volumeMode", (new["spec"]).get("volumeMode"), (old["spec"]).get("volumeMode"))


def _difference(old: Obj, new: Obj, shape: str, leave: frozenset[str] = frozenset()) -> str:
    return hunks(*(spec_lines(spec, f"core.v1.{shape}", leave) for spec in (old, new)))


def _size(spec: Obj) -> Any:
    return ((spec.get("resources") or {}).get("requests") or {}).get("storage")


def _copy(target: Obj, source: Obj, name: str) -> None:
    if source.get(name) is not None:
        target[name] = source[name]
    else:
        target.pop(name, None)


def check_claim_status(new: Obj, old: Obj) -> list[Cause]:
    out = check_meta_update(new, old)
    if not (new.get("spec") or {}).get("accessModes"):
        out.append(required("spec.accessModes"))
    for name, size in ((new.get("status") or {}).get("capacity") or {}).items():
        if amount(size).nanos < 0:
            out.append(invalid(f"status.capacity[{name}]", str(amount(size)), "must be greater than or equal to 0"))
    return out


def check_volume(new: Obj, old: Obj | None) -> list[Cause]:
    spec = new.get("spec") or {}
    out = check_meta(new, namespaced=False) if old is None else check_meta_update(new, old)
    out += _volume_spec(spec)
    if old is None:
        return out
    before = old.get("spec") or {}
    source, had = ({k: v for k, v in s.items() if k not in BESIDE_SOURCE} for s in (spec, before))
    if source != had:
        diff = _difference(had, source, "PersistentVolumeSpec", BESIDE_SOURCE)
        words = f"spec.persistentvolumesource is immutable after creation\n{diff}"
        out.append(forbidden("spec.persistentvolumesource", words))
    out += immutable("volumeMode", spec.get("volumeMode"), before.get("volumeMode"))
    if before.get("nodeAffinity") is not None:
        out += immutable("nodeAffinity", spec.get("nodeAffinity"), before["nodeAffinity"])
    return out


def check_volume_status(new: Obj, old: Obj) -> list[Cause]:
    out = check_meta_update(new, old)
    if not new["metadata"].get("resourceVersion"):
        out.append(required("resourceVersion"))
    return out


def _volume_spec(spec: Obj) -> list[Cause]:
    modes, capacity = spec.get("accessModes") or [], spec.get("capacity") or {}
    out = [] if modes else [required("spec.accessModes")]
    out += check_modes(modes, "spec.accessModes")
    if not capacity:
        out.append(required("spec.capacity"))
    if "storage" not in capacity or len(capacity) > 1:
        out.append(unsupported("spec.capacity", capacity, ("storage",)))
    for name, size in capacity.items():
        if amount(size).nanos <= 0:
            out.append(invalid(f"spec.capacity[{name}]", str(amount(size)), POSITIVE))
    policies = ("Delete", "Recycle", "Retain")
    policy = spec.get("persistentVolumeReclaimPolicy")
    out += one_of("spec.persistentVolumeReclaimPolicy", policy, policies, needed=False)
    affinity = spec.get("nodeAffinity")
    if affinity is not None:
        if affinity.get("required") is None:
            out.append(required("spec.nodeAffinity.required", "must specify required node constraints"))
        else:
            out += check_node_selector(affinity["required"], "spec.nodeAffinity.required")
    out += check_volume_source({k: v for k, v in spec.items() if k not in BESIDE_SOURCE}, "spec")
    if spec.get("local") is not None and affinity is None:
        out.append(required("metadata.annotations", "Local volume requires node affinity"))
    if (spec.get("hostPath") or {}).get("path") == "/" and policy == "Recycle":
        words = "may not be 'recycle' for a hostPath mount of '/'"
        out.append(forbidden("spec.persistentVolumeReclaimPolicy", words))
    out += check_class(spec.get("storageClassName"), "spec.storageClassName")
    return out + check_volume_mode(spec.get("volumeMode"), "spec.volumeMode")


def check_storage_class(new: Obj, old: Obj | None) -> list[Cause]:
    if old is not None:
        out = check_meta_update(new, old)
        for name in ("parameters", "provisioner", "reclaimPolicy"):
            if (new.get(name) or None) != (old.get(name) or None):
                out.append(forbidden(name, f"updates to {name} are forbidden."))
        return out + immutable("volumeBindingMode", new.get("volumeBindingMode"), old.get("volumeBindingMode"))
    out = check_meta(new, namespaced=False)
    provisioner = new.get("provisioner") or ""
    if not provisioner:
        out.append(required("provisioner"))
    else:
        out += each("provisioner", provisioner, qualified_name(provisioner.lower()))
    out += one_of("reclaimPolicy", new.get("reclaimPolicy"), ("Delete", "Retain"), needed=False)
    out += one_of("volumeBindingMode", new.get("volumeBindingMode"), ("Immediate", "WaitForFirstConsumer"))
    for i, term in enumerate(new.get("allowedTopologies") or ()):
        for j, rule in enumerate(term.get("matchLabelExpressions") or ()):
            here = f"allowedTopologies[{i}].matchLabelExpressions[{j}]"
            out += check_expression({**rule, "operator": "In"}, here)
    return out
