"""How the API refuses a patch: what cannot be read is a 400, what cannot be done is a 422 without a word why.

In: the fault in the API's words. Out: the `StatusError` to raise.
"""

from typing import Any

from madang.ports.errors import BadRequest, StatusError

# Go's names of what encoding/json found.
_GO_WORDS = {dict: "object", list: "array", str: "string", bool: "bool", int: "number", float: "number"}


def unreadable(value: Any, wanted: str, prefix: str = "error decoding patch: ") -> StatusError:
    word = _GO_WORDS.get(type(value), "null")
    return BadRequest(f"{prefix}json: cannot unmarshal {word} into Go value of type {wanted}")


def undoable() -> StatusError:
    """The API's generic answer to a patch that does not fit the object; it keeps the reason to itself."""
    refusal = StatusError("the server rejected our request due to an error in our request", code=422, reason="Invalid")
    refusal.details = {}
    return refusal


def malformed(words: str) -> StatusError:
    return BadRequest(words)


def failed(words: str) -> StatusError:
    """A patch that the API itself does not expect: it answers 500 with the bare sentence."""
    return StatusError(words, code=500, reason="")
