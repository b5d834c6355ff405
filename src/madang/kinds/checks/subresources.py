"""What is posted or put under an object and is a kind of its own: Binding, Scale, TokenRequest.

In: the posted object. Out: causes.
"""

from madang.kinds.causes import Cause
from madang.kinds.checks.faults import invalid, not_negative, required, unsupported
from madang.ports.objects import Obj

SHORTEST_TOKEN_S, LONGEST_TOKEN_S = 600, 1 << 32


def check_binding(new: Obj, old: Obj | None = None) -> list[Cause]:
    target = new.get("target") or {}
    out: list[Cause] = []
    if target.get("kind", "") not in ("Node", ""):
        out.append(unsupported("target.kind", target["kind"], ("Node", "<empty>")))
    return out if target.get("name") else [*out, required("target.name")]


def check_scale(new: Obj) -> list[Cause]:
    return not_negative("spec.replicas", (new.get("spec") or {}).get("replicas"))


def check_token_seconds(seconds: int) -> list[Cause]:
    """How long a token asked for is to be good."""
    if seconds < SHORTEST_TOKEN_S:
        return [invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")]
    if seconds > LONGEST_TOKEN_S:
        return [invalid("spec.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds")]
    return []
