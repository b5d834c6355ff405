"""events.k8s.io/v1 Event and core v1 Event: the same stored object under two shapes.

Stored as core v1. In and out: decoded objects; both functions make new ones.
"""

from madang.ports.objects import Obj

_RENAMED = (
    # core v1, events.k8s.io/v1
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
)
# Go writes these in either version even when they are empty
_ALWAYS_NEW: Obj = {"deprecatedFirstTimestamp": None, "deprecatedLastTimestamp": None, "deprecatedSource": {},
               "eventTime": None, "regarding": {}}  # fmt: skip
_ALWAYS_CORE: Obj = {"eventTime": None, "firstTimestamp": None, "involvedObject": {}, "lastTimestamp": None,
                "reportingComponent": "", "reportingInstance": "", "source": {}}  # fmt: skip


def from_stored(event: Obj) -> Obj:
    """core v1 -> events.k8s.io/v1."""
    names = dict(_RENAMED)
    out = {names.get(key, key): value for key, value in event.items()}
    for key in ("reportingController", "reportingInstance"):
        if not out.get(key):
            out.pop(key, None)
    return {**_ALWAYS_NEW, **out, "apiVersion": "events.k8s.io/v1"}


def to_stored(event: Obj) -> Obj:
    """events.k8s.io/v1 -> core v1."""
    names = {new: old for old, new in _RENAMED}
    out = {names.get(key, key): value for key, value in event.items()}
    return {**_ALWAYS_CORE, **out, "apiVersion": "v1"}
