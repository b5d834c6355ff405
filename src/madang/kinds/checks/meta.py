"""What metadata may say, of any kind: names, labels, annotations, owners, finalizers.

In: an object, how its name is checked. Out: causes (apimachinery api/validation/objectmeta).
"""

from collections.abc import Callable, Mapping
from typing import Any

from madang.kinds.causes import Cause
from madang.kinds.checks.faults import each, forbidden, invalid, not_negative, required, too_long
from madang.kinds.checks.labels import check_labels
from madang.kinds.names import Faults, dns_label, dns_subdomain, generated, qualified_name
from madang.ports.objects import Obj

NameCheck = Callable[[str], Faults]
ANNOTATIONS_BYTES = 256 * 1024
NOTHING: Mapping[str, Any] = {}
PLAIN_FINALIZERS = frozenset({"kubernetes", "orphan", "foregroundDeletion"})


def check_meta(obj: Obj, name: NameCheck = dns_subdomain, *, namespaced: bool = True) -> list[Cause]:
    """Of an object that is to be created."""
    meta = obj.get("metadata") or {}
    out: list[Cause] = []
    if prefix := meta.get("generateName"):
        out += each("metadata.generateName", prefix, name(generated(prefix)))
    if not meta.get("name"):
        out.append(required("metadata.name", "name or generateName is required"))
    else:
        out += each("metadata.name", meta["name"], name(meta["name"]))
    namespace = meta.get("namespace")
    if namespaced:
        out += each("metadata.namespace", namespace, dns_label(namespace)) if namespace else [
            required("metadata.namespace")
        ]  # fmt: skip
    elif namespace:
        out.append(forbidden("metadata.namespace", "not allowed on this type"))
    return out + _shared(meta, "metadata")


def check_meta_update(new: Obj, old: Obj) -> list[Cause]:
    meta, before = new.get("metadata") or {}, old.get("metadata") or {}
    return _late_finalizers(meta, before) + _shared(meta, "metadata", before)


def check_any_update(new: Obj, old: Obj) -> list[Cause]:
    """What the API asks of every update before it asks the kind, which then asks `check_meta_update` once more: a
    fault of the metadata is named three times, a late finalizer twice."""
    meta, before = new.get("metadata") or {}, old.get("metadata") or {}
    shared = _shared(meta, "metadata", before)
    return shared + _late_finalizers(meta, before) + shared


def _late_finalizers(meta: Obj, before: Obj) -> list[Cause]:
    """Nobody may hold back what is already going."""
    if not before.get("deletionTimestamp"):
        return []
    extra = [f for f in meta.get("finalizers") or () if f not in (before.get("finalizers") or ())]
    if not extra:
        return []
    listed = ", ".join(f'"{f}"' for f in extra)
    words = "no new finalizers can be added if the object is being deleted, found new finalizers "
    return [forbidden("metadata.finalizers", f"{words}[]string{{{listed}}}")]


def check_template_meta(meta: Obj, path: str) -> list[Cause]:
    """Of a pod template: labels and annotations only."""
    out = check_labels(meta.get("labels"), f"{path}.labels")
    return out + check_annotations(meta.get("annotations"), f"{path}.annotations")


def _shared(meta: Obj, path: str, before: Mapping[str, Any] = NOTHING) -> list[Cause]:
    """`before`: what is stored already was looked through when it came, and needs no second look where it stays."""
    out = not_negative(f"{path}.generation", meta.get("generation"))
    for name, check in _CHECKS:
        value = meta.get(name)
        if value and value != before.get(name):
            out += check(value, f"{path}.{name}")
    return out


def check_annotations(annotations: dict[str, str] | None, path: str) -> list[Cause]:
    if not annotations:
        return []
    out: list[Cause] = []
    size = 0
    for key, value in sorted(annotations.items()):
        out += each(path, key, qualified_name(key.lower()))
        size += len(key) + len(value)
    # Bytes are counted only where the characters come near: encoding each write's annotations would cost too much.
    if size * 4 > ANNOTATIONS_BYTES:
        size = sum(len(k.encode()) + len(v.encode()) for k, v in annotations.items())
    return [*out, too_long(path, ANNOTATIONS_BYTES)] if size > ANNOTATIONS_BYTES else out


def _owners(owners: list[dict[str, Any]], path: str) -> list[Cause]:
    out: list[Cause] = []
    controller = ""
    for owner in owners:
        version = owner.get("apiVersion", "")
        if not version.rpartition("/")[2]:
            out.append(invalid(f"{path}.apiVersion", version, "version must not be empty"))
        for field in ("kind", "name", "uid"):
            if not owner.get(field):
                out.append(invalid(f"{path}.{field}", owner.get(field, ""), "must not be empty"))
        if (version, owner.get("kind")) == ("v1", "Event"):
            out.append(invalid(path, owner, "/v1, Kind=Event is disallowed from being an owner"))
        if owner.get("controller"):
            if controller:
                words = (
                    'Only one reference can have Controller set to true. Found "true" in references for '
                    f"{controller} and {owner.get('name', '')}"
                )
                out.append(invalid(path, owners, words))
            controller = controller or owner.get("name", "")
    return out


def _finalizers(finalizers: list[str], path: str) -> list[Cause]:
    out: list[Cause] = []
    for name in finalizers:
        out += each(path, name, qualified_name(name))
    if "orphan" in finalizers and "foregroundDeletion" in finalizers:
        out.append(invalid(path, finalizers, "finalizer orphan and foregroundDeletion cannot be both set"))
    for i, name in enumerate(finalizers):
        if "/" not in name and name not in PLAIN_FINALIZERS:
            words = "name is neither a standard finalizer name nor is it fully qualified"
            out.append(invalid(f"{path}[{i}]", name, words))
    return out


_CHECKS: tuple[tuple[str, Callable[[Any, str], list[Cause]]], ...] = (
    ("labels", check_labels),
    ("annotations", check_annotations),
    ("ownerReferences", _owners),
    ("finalizers", _finalizers),
)
