"""What a claim's spec must say, wherever it stands: in a claim, or in the template that a pod brings with it.

In: the spec with its path. Out: causes, in the API's order and words.
"""

from madang.kinds.causes import Cause
from madang.kinds.checks.faults import each, forbidden, invalid, required, unsupported
from madang.kinds.checks.labels import check_label_selector
from madang.kinds.checks.resources import amount
from madang.kinds.names import dns_subdomain
from madang.ports.objects import Obj

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES = ("Block", "Filesystem")
POSITIVE = "must be greater than zero"


def check_claim_spec(spec: Obj, path: str) -> list[Cause]:
    modes = spec.get("accessModes") or []
    out = [] if modes else [required(f"{path}.accessModes", "at least 1 access mode is required")]
    out += check_label_selector(spec.get("selector"), f"{path}.selector") + check_modes(modes, f"{path}.accessModes")
    size = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    here = f"{path}.resources[storage]"
    if size is None:
        out.append(required(here))
    elif amount(size).nanos <= 0:
        out.append(invalid(here, str(amount(size)), POSITIVE))
    out += check_class(spec.get("storageClassName"), f"{path}.storageClassName")
    out += check_volume_mode(spec.get("volumeMode"), f"{path}.volumeMode")
    source, ref = spec.get("dataSource"), spec.get("dataSourceRef")
    if source is not None and ref is not None and {**source, "namespace": None} != {**ref, "namespace": None}:
        out.append(invalid(path, source, "must match dataSourceRef"))
    return out


def check_modes(modes: list[str], path: str) -> list[Cause]:
    out = [unsupported(path, mode, ACCESS_MODES) for mode in modes if mode not in ACCESS_MODES]
    if "ReadWriteOncePod" in modes and len(set(modes)) > 1:
        out.append(forbidden(path, "may not use ReadWriteOncePod with other access modes"))
    return out


def check_class(name: str | None, path: str) -> list[Cause]:
    return each(path, name, dns_subdomain(name)) if name else []


def check_volume_mode(mode: str | None, path: str) -> list[Cause]:
    return [unsupported(path, mode, VOLUME_MODES)] if mode is not None and mode not in VOLUME_MODES else []
