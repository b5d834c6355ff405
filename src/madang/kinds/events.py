"""Events as objects: what happened to whom, in the older form (counted) that all but the scheduler write.

In: the object that it is about, words, the hour. Out: a core/v1 Event. Pure; who merges and writes them stands above.
"""

from madang.kinds.times import format_seconds
from madang.ports.objects import Obj


def reference(kind: str, api_version: str, obj: Obj, field_path: str = "") -> Obj:
    """An ObjectReference; what is not known is left out."""
    meta = obj["metadata"]
    found = {
        "kind": kind,
        "namespace": meta.get("namespace"),
        "name": meta["name"],
        "uid": meta.get("uid"),
        "apiVersion": api_version,
        "resourceVersion": meta.get("resourceVersion"),
        "fieldPath": field_path,
    }
    return {k: v for k, v in found.items() if v}


def event(tail: str, about: Obj, type_: str, reason: str, message: str, component: str) -> Obj:
    """What both forms share. `about` is a reference, whose name and `tail` are the Event's; one about an object
    without a namespace lies in `default`."""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{about['name']}.{tail}", "namespace": about.get("namespace") or "default"},
        "involvedObject": about,
        "reason": reason,
        "message": message,
        "type": type_,
        "reportingComponent": component,
    }


def counted(event: Obj, source: Obj, now_s: float) -> Obj:
    """Seen once, now."""
    at = format_seconds(now_s)
    return event | {"source": source, "firstTimestamp": at, "lastTimestamp": at, "count": 1}
