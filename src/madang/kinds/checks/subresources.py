"""What is posted or put under an object and is a kind of its own: Binding, Scale, Eviction.

In: the posted object. Out: causes.
"""

from madang.kinds.causes import Cause
from madang.kinds.checks.faults import not_negative, required, unsupported
from madang.ports.objects import Obj


def check_binding(new: Obj, old: Obj | None = None) -> list[Cause]:
    target = new.get("target") or {}
    out: list[Cause] = []
    if target.get("kind", "") not in ("Node", ""):
        out.append(unsupported("target.kind", target["kind"], ("Node", "<empty>")))
    return out if target.get("name") else [*out, required("target.name")]


def check_scale(new: Obj, old: Obj | None = None) -> list[Cause]:
    return not_negative("spec.replicas", (new.get("spec") or {}).get("replicas"))


def check_eviction(new: Obj, old: Obj | None = None) -> list[Cause]:
    return []
