"""Defaults of claims, volumes and storage classes.

In: a decoded, fresh object, changed in place. A claim's storage class needs the other objects and is no default.
"""

from madang.ports.objects import Obj


def volume(obj: Obj) -> None:
    spec = obj["spec"]
    obj["status"].setdefault("phase", "Pending")
    spec.setdefault("persistentVolumeReclaimPolicy", "Retain")
    spec.setdefault("volumeMode", "Filesystem")
    if spec.get("hostPath") is not None:
        spec["hostPath"].setdefault("type", "")


def claim(obj: Obj) -> None:
    obj["status"].setdefault("phase", "Pending")
    claim_spec(obj["spec"])


def claim_spec(spec: Obj) -> None:
    spec.setdefault("volumeMode", "Filesystem")


def storage_class(obj: Obj) -> None:
    obj.setdefault("reclaimPolicy", "Delete")
    obj.setdefault("volumeBindingMode", "Immediate")
