"""Single values of the API: how each type is read, checked and written back.

In: a JSON value and the node's format. Out: the value in canonical form. TypeError where Go's decoder would say that
the type is wrong, ValueError with Go's text where the type reads itself (quantities, times, bytes).
"""

import binascii
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from madang.kinds import quantity, times

_INT32, _INT64 = 2**31, 2**63
_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_WORDS = {dict: "object", list: "array", str: "string", bool: "bool"}


def _string(value: Any, _: str) -> str:
    if value.__class__ is not str:
        raise TypeError
    return value


def _boolean(value: Any, _: str) -> bool:
    if value.__class__ is not bool:
        raise TypeError
    return value


def _integer(value: Any, form: str) -> int:
    limit = _INT32 if form == "int32" else _INT64
    if value.__class__ is not int or not -limit <= value < limit:
        raise TypeError
    return value


def _number(value: Any, _: str) -> float:
    if value.__class__ not in (int, float):
        raise TypeError
    return value


def _quantity(value: Any, _: str) -> str:
    if value.__class__ is str:
        return quantity.canonical(value.strip())
    if value.__class__ in (int, float):
        return quantity.canonical(str(value))
    raise ValueError(quantity.FORMAT_WRONG)


def _int_or_string(value: Any, _: str) -> int | str:
    if value.__class__ is str:
        return value
    try:
        return _integer(value, "int32")
    except TypeError:
        word = _WORDS.get(value.__class__) or f"number {value}"
        raise ValueError(f"json: cannot unmarshal {word} into Go value of type int32") from None


@lru_cache(4096)
def _canonical_time(text: str, micro: bool) -> str:
    at = times.parse(text, micro)
    return times.format_micros(at) if micro else times.format_seconds(at)


def _time(value: Any, form: str) -> str:
    if value.__class__ is not str:
        word = _WORDS.get(value.__class__, "number")
        raise ValueError(f"json: cannot unmarshal {word} into Go value of type string")
    return _canonical_time(value, form == "date-time-micro")


def _bytes(value: Any, _: str) -> str:
    if value.__class__ is not str:
        raise TypeError
    try:
        data = value.encode("ascii")
        binascii.a2b_base64(data, strict_mode=True)
    except ValueError:
        return _loose_base64(value)
    return value


def _loose_base64(text: str) -> str:
    """What Go takes beyond the strict form (line ends), written back strictly; else its error."""
    data = text.encode("utf-8")
    digits = [(at, byte) for at, byte in enumerate(data) if byte not in b"\r\n"]
    for count, (at, byte) in enumerate(digits):
        if byte not in _BASE64:
            padding = digits[count:]
            right = (-count) % 4 in (1, 2) and len(padding) == (-count) % 4 and all(b == 61 for _, b in padding)
            if right:
                break
            raise ValueError(f"illegal base64 data at input byte {at}")
    if len(digits) % 4:
        raise ValueError(f"illegal base64 data at input byte {len(digits) // 4 * 4}")
    return binascii.b2a_base64(binascii.a2b_base64(data), newline=False).decode("ascii")


LEAVES: Mapping[str, Callable[[Any, str], Any]] = {
    "string": _string, "boolean": _boolean, "integer": _integer, "number": _number, "quantity": _quantity,
    "int-or-string": _int_or_string, "time": _time, "bytes": _bytes,
}  # fmt: skip
# what Go writes for a field that is always written and that nobody set
ZEROES: Mapping[str, Any] = {
    "string": "", "boolean": False, "integer": 0, "number": 0, "quantity": "0", "int-or-string": 0, "time": None,
    "bytes": None, "any": None, "array": None, "map": None,
}  # fmt: skip
