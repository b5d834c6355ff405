"""From client-side to server-side apply: what kubectl's old annotation lets its new manager do.

In: the stored object, whose annotation tells what was applied last, and schemas. Out: the fields that `kubectl` may
take without a conflict (those that it applied and that nobody changed since), and the annotation kept up to date.
Only the manager `kubectl` has this; any other name opts out.
"""

from typing import Any

import orjson

from madang.kinds.managed.differences import differ_root, held_root
from madang.kinds.managed.sets import Set, minus
from madang.kinds.managed.shapes import Shape
from madang.ports.objects import Obj

MANAGER = "kubectl"
ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"


def allowed(old: Obj, manager: str, shape: Shape) -> Set:
    """What conflicts are none."""
    text = _annotations(old).get(ANNOTATION)
    if manager != MANAGER or not text:
        return {}
    try:
        last = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(last, dict):
        return {}
    changed, removed = differ_root(last, old, shape)
    return minus(minus(held_root(last, shape), changed), removed)


def kept_up(new: Obj, applied: Obj, manager: str) -> Obj:
    """`new` with the annotation telling of this apply, where there was one."""
    if manager != MANAGER or ANNOTATION not in _annotations(new):
        return new
    meta = dict(applied.get("metadata") or {})
    notes = {k: v for k, v in _annotations(applied).items() if k != ANNOTATION}
    meta.pop("managedFields", None)
    meta["annotations"] = notes
    text = orjson.dumps({**applied, "metadata": meta}, option=orjson.OPT_SORT_KEYS).decode() + "\n"
    about = new["metadata"]
    return {**new, "metadata": {**about, "annotations": {**about["annotations"], ANNOTATION: text}}}


def _annotations(obj: Obj) -> dict[str, Any]:
    return (obj.get("metadata") or {}).get("annotations") or {}
