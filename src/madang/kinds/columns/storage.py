"""How claims, volumes and storage classes are printed.

In: the object. Out: cells as the API server prints them.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from madang.kinds.claims import class_name, is_default
from madang.kinds.columns.cells import AGE, NAME, at, column
from madang.ports.objects import Obj

_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def modes_text(modes: Iterable[str]) -> str:
    found = set(modes)
    return ",".join(short for mode, short in _MODES.items() if mode in found)


def _status(obj: Obj) -> str:
    return "Terminating" if obj["metadata"].get("deletionTimestamp") else str(at(obj, "status", "phase"))


def _claim_of(volume: Obj) -> str:
    found = at(volume, "spec", "claimRef", default=None)
    return f"{found.get('namespace', '')}/{found.get('name', '')}" if found else ""


def _bound(name: str, default: Any) -> Callable[[Obj], Any]:
    """A claim shows what it got only once it has got it."""

    def read(claim: Obj) -> Any:
        return at(claim, "status", name, default=default) if at(claim, "spec", "volumeName") else default

    return read


def _attributes(obj: Obj) -> str:
    return str(at(obj, "spec", "volumeAttributesClassName")) or "<unset>"


def _named(storage_class: Obj) -> str:
    name: str = storage_class["metadata"].get("name", "")
    return f"{name} (default)" if is_default(storage_class) else name


_VOLUME, _CLAIM, _CLASS = "core.v1.PersistentVolume", "core.v1.PersistentVolumeClaim", "storage.v1.StorageClass"
_CAPACITY, _ACCESS = _bound("capacity", {}), _bound("accessModes", ())

PERSISTENT_VOLUME = (
    NAME,
    column("Capacity", "string", f"{_VOLUME}Spec.capacity", lambda o: at(o, "spec", "capacity", "storage")),
    column(
        "Access Modes", "string", f"{_VOLUME}Spec.accessModes",
        lambda o: modes_text(at(o, "spec", "accessModes", default=())),
    ),
    column(
        "Reclaim Policy", "string", f"{_VOLUME}Spec.persistentVolumeReclaimPolicy",
        lambda o: at(o, "spec", "persistentVolumeReclaimPolicy"),
    ),
    column("Status", "string", f"{_VOLUME}Status.phase", _status),
    column("Claim", "string", f"{_VOLUME}Spec.claimRef", _claim_of),
    column("StorageClass", "string", "StorageClass of the pv", class_name),
    column("VolumeAttributesClass", "string", "VolumeAttributesClass of the pv", _attributes),
    column("Reason", "string", f"{_VOLUME}Status.reason", lambda o: at(o, "status", "reason")),
    AGE,
    column(
        "VolumeMode", "string", f"{_VOLUME}Spec.volumeMode",
        lambda o: at(o, "spec", "volumeMode") or "<unset>", wide=True,
    ),
)  # fmt: skip
PERSISTENT_VOLUME_CLAIM = (
    NAME,
    column("Status", "string", f"{_CLAIM}Status.phase", _status),
    column("Volume", "string", f"{_CLAIM}Spec.volumeName", lambda o: at(o, "spec", "volumeName")),
    column("Capacity", "string", f"{_CLAIM}Status.capacity", lambda o: _CAPACITY(o).get("storage", "")),
    column("Access Modes", "string", f"{_CLAIM}Status.accessModes", lambda o: modes_text(_ACCESS(o))),
    column("StorageClass", "string", "StorageClass of the pvc", class_name),
    column("VolumeAttributesClass", "string", "VolumeAttributesClass of the pvc", _attributes),
    AGE,
    column(
        "VolumeMode", "string", f"{_CLAIM}Spec.volumeMode",
        lambda o: at(o, "spec", "volumeMode") or "<unset>", wide=True,
    ),
)  # fmt: skip
STORAGE_CLASS = (
    replace(NAME, cell=lambda o, _: _named(o)),
    column("Provisioner", "string", f"{_CLASS}.provisioner", lambda o: o.get("provisioner", "")),
    column("ReclaimPolicy", "string", f"{_CLASS}.reclaimPolicy", lambda o: o.get("reclaimPolicy") or "Delete"),
    column(
        "VolumeBindingMode", "string", f"{_CLASS}.volumeBindingMode",
        lambda o: o.get("volumeBindingMode") or "<unset>",
    ),
    column(
        "AllowVolumeExpansion", "string", f"{_CLASS}.allowVolumeExpansion",
        lambda o: "true" if o.get("allowVolumeExpansion") else "false",
    ),
    AGE,
)  # fmt: skip
