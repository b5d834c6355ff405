"""The 422 for values of a wrong type in a custom resource, which no later step can handle.

In: what decoding found. Out: the refusal. Of a built-in kind the same fault is a 400, in Go's words (`walker`).
"""

from collections.abc import Sequence

from madang.kinds.causes import Cause
from madang.ports.errors import Invalid
from madang.ports.objects import Obj

# the API goes on to the rules in CEL only where types are right, and says so
_UNCHECKED = Cause(
    "<nil>",
    "FieldValueInvalid",
    "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing "
    "errors to complete validation",
)


def refusal(group: str, kind: str, obj: Obj, found: Sequence[Cause]) -> Invalid:
    every = [*found, _UNCHECKED]
    name = (obj.get("metadata") or {}).get("name", "")
    listed = [{"reason": c.reason, "message": c.message, "field": c.field} for c in every]
    text = f'{kind}.{group} "{name}" is invalid: [{", ".join(map(str, every))}]'
    return Invalid(text, causes=listed, name=name, group=group, kind=kind)
