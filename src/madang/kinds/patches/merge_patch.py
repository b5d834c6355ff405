"""JSON merge patch (RFC 7386): maps merge, null removes, everything else replaces.

In: a document (never changed) and a patch. Out: a new document.
"""

from typing import Any

from madang.kinds.patches.refusals import unreadable
from madang.ports.objects import Obj


def apply_merge(obj: Obj, patch: Any) -> Obj:
    """Raises StatusError (400) where the patch is no object."""
    if not isinstance(patch, dict):
        raise unreadable(patch, "map[string]interface {}")
    merged = _merge(obj, patch)
    return merged if isinstance(merged, dict) else {}


def _merge(target: Any, patch: dict[str, Any]) -> dict[str, Any]:
    out = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        elif isinstance(value, dict):
            out[key] = _merge(out.get(key), value)
        else:
            out[key] = value
    return out
