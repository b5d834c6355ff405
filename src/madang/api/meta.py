"""ObjectMeta as the API keeps it: what a new object gets, and what an update may not change.

In: decoded objects. Out: the same objects, their metadata put right in place.
"""

from madang.api import errors
from madang.api.desk import Desk
from madang.kinds.kind import Kind
from madang.kinds.times import format_seconds
from madang.ports.errors import StatusError
from madang.ports.objects import Entry, Obj

GENERATED_LENGTH = 5
GENERATED_BASE = 63 - GENERATED_LENGTH
KEPT = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")


def place(row: Kind, obj: Obj, namespace: str) -> None:
    """The object's namespace is the path's."""
    meta = obj.setdefault("metadata", {})
    if not row.namespaced:
        meta.pop("namespace", None)
        return
    inside = meta.get("namespace")
    if inside and namespace and inside != namespace:
        raise errors.wrong_namespace()
    meta["namespace"] = namespace or inside or "default"


def fresh(desk: Desk, obj: Obj) -> None:
    """What only the server gives."""
    meta = obj["metadata"]
    if meta.get("resourceVersion") not in (None, "", "0"):
        raise StatusError("resourceVersion should not be set on objects to be created")
    for name in ("resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"):
        meta.pop(name, None)
    meta["uid"] = desk.chance.uid()
    meta["creationTimestamp"] = format_seconds(desk.clock.now_s())


def generate(desk: Desk, obj: Obj) -> bool:
    """Whether the name was made up here (so that a collision is tried again with another)."""
    meta = obj["metadata"]
    base = meta.get("generateName")
    if meta.get("name") or not base:
        return False
    meta["name"] = base[:GENERATED_BASE] + desk.chance.suffix(GENERATED_LENGTH)
    return True


def carry(row: Kind, new: Obj, entry: Entry) -> None:
    """An update keeps what the server gave; another uid or revision is another object."""
    meta, old = new["metadata"], entry.obj["metadata"]
    asked = meta.get("uid")
    if asked and asked != old["uid"]:
        raise errors.other_incarnation(row, entry.key.namespace, entry.key.name, asked, old["uid"])
    revision = meta.get("resourceVersion")
    if revision and revision not in ("0", str(entry.revision)):
        raise errors.modified(row, entry.key.name)
    for name in KEPT:
        if name in old:
            meta[name] = old[name]
        else:
            meta.pop(name, None)
    meta.pop("selfLink", None)
    if "generateName" in old:
        meta.setdefault("generateName", old["generateName"])
    meta["resourceVersion"] = str(entry.revision)
