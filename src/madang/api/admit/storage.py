"""What claims and volumes are given: the finalizers that keep them while they are used, the default storage class.

In: the fresh object (and the old one), changed in place, and the storage classes. Out: nothing, or the API's 403. The
plug-ins of a cluster are StorageObjectInUseProtection, DefaultStorageClass and PersistentVolumeClaimResize.
"""

from madang.api import errors
from madang.api.desk import Desk
from madang.kinds.checks.resources import amount
from madang.kinds.claims import CLAIMS, CLASS, CLASSES, PROTECTION, VOLUMES, class_name, is_default
from madang.kinds.kind import Kind
from madang.ports.objects import Key, Obj

KINDS = frozenset({CLAIMS, VOLUMES})
NO_GROWTH = (
    "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"
)


def admit(desk: Desk, row: Kind, obj: Obj) -> None:
    meta = obj["metadata"]
    protection = PROTECTION[row.id]
    if protection not in (meta.get("finalizers") or ()):
        meta["finalizers"] = [*(meta.get("finalizers") or ()), protection]
    unclassed = row.id == CLAIMS and obj["spec"].get("storageClassName") is None
    if unclassed and CLASS not in (meta.get("annotations") or {}) and (name := default_class(desk)) is not None:
        obj["spec"]["storageClassName"] = name


def default_class(desk: Desk) -> str | None:
    """Of several the youngest, then the first by name."""
    found = [entry.obj for entry in desk.store.list(CLASSES).entries if is_default(entry.obj)]
    found.sort(key=lambda c: c["metadata"]["name"])
    found.sort(key=lambda c: str(c["metadata"].get("creationTimestamp")), reverse=True)
    return str(found[0]["metadata"]["name"]) if found else None


def admit_update(desk: Desk, row: Kind, new: Obj, old: Obj) -> None:
    """A claim grows only where its class allows that."""
    before, wanted = (amount(((o["spec"].get("resources") or {}).get("requests") or {}).get("storage", "0"))
                      for o in (old, new))  # fmt: skip
    if wanted.nanos <= before.nanos or (old.get("status") or {}).get("phase") != "Bound":
        return
    found = desk.store.newest(Key(CLASSES, "", class_name(old))) if class_name(old) else None
    if found is None or not found.obj.get("allowVolumeExpansion"):
        raise errors.forbidden(row, new["metadata"]["name"], NO_GROWTH)
