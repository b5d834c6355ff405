"""One fault as the API words it (apimachinery util/validation/field).

In: a field's path, the value found, what is wrong. Out: a `Cause`. Values are printed as Go prints them: strings
quoted, maps and structs as JSON.
"""

from collections.abc import Iterable
from typing import Any

import orjson

from madang.kinds.causes import Cause

IMMUTABLE = "field is immutable"
NEGATIVE = "must be greater than or equal to 0"


def spoken(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def required(path: str, detail: str = "") -> Cause:
    return Cause(path, "FieldValueRequired", f"Required value: {detail}" if detail else "Required value")


def invalid(path: str, value: Any, detail: str) -> Cause:
    return Cause(path, "FieldValueInvalid", f"Invalid value: {spoken(value)}: {detail}")


def unsupported(path: str, value: Any, supported: Iterable[str]) -> Cause:
    """`supported` in the order in which the API lists it (mostly sorted)."""
    allowed = ", ".join(spoken(s) for s in supported)
    return Cause(path, "FieldValueNotSupported", f"Unsupported value: {spoken(value)}: supported values: {allowed}")


def forbidden(path: str, detail: str) -> Cause:
    return Cause(path, "FieldValueForbidden", f"Forbidden: {detail}")


def duplicate(path: str, value: Any) -> Cause:
    return Cause(path, "FieldValueDuplicate", f"Duplicate value: {spoken(value)}")


def not_found(path: str, value: Any) -> Cause:
    return Cause(path, "FieldValueNotFound", f"Not found: {spoken(value)}")


def too_long(path: str, limit: int) -> Cause:
    return Cause(path, "FieldValueTooLong", f"Too long: may not be more than {limit} bytes")


def too_many(path: str, found: int, limit: int) -> Cause:
    return Cause(path, "FieldValueTooMany", f"Too many: {found}: must have at most {limit} items")


def each(path: str, value: Any, words: Iterable[str]) -> list[Cause]:
    """One fault for each sentence about the same value (what `kinds.names` answers)."""
    return [invalid(path, value, w) for w in words]


def one_of(path: str, value: str | None, supported: Iterable[str], *, needed: bool = True) -> list[Cause]:
    if not value:
        return [required(path)] if needed else []
    return [] if value in supported else [unsupported(path, value, supported)]


def not_negative(path: str, value: int | None) -> list[Cause]:
    return [invalid(path, value, NEGATIVE)] if value is not None and value < 0 else []


def immutable(path: str, new: Any, old: Any) -> list[Cause]:
    return [] if new == old else [invalid(path, new, IMMUTABLE)]
