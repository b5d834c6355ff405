"""The 422 that refuses an object, made of what the checks found.

In: the kind, the object's name, causes. Out: the error to raise, with the API's message and details.
"""

from collections.abc import Sequence

from madang.kinds.causes import Cause
from madang.kinds.checks.faults import spoken
from madang.ports.errors import Invalid


def invalid(kind: str, group: str, name: str, causes: Sequence[Cause]) -> Invalid:
    what = f"{kind}.{group}" if group else kind
    told = list(dict.fromkeys(str(c) for c in causes))  # the message says the same thing once, the causes do not
    text = told[0] if len(told) == 1 else "[" + ", ".join(told) + "]"
    details = {k: v for k, v in (("group", group), ("kind", kind), ("name", name)) if v}
    listed = [{"reason": c.reason, "message": c.message, "field": c.field} for c in causes]
    return Invalid(f"{what} {spoken(name)} is invalid: {text}", causes=listed, **details)
