"""Bodies in Kubernetes' protobuf encoding, read as if they had been JSON.

In: `k8s\\0` and a runtime.Unknown that wraps the object (what typed Go clients send, kubectl's generators too).
Out: the object as JSON values, for the same decoder. Answers are JSON: such clients accept both. The field numbers
stand in `protobuf.json` (tools/reduce_protobuf.py).
"""

import base64
import json
import struct
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from madang.kinds.times import format_micros, format_seconds
from madang.ports.errors import BadRequest
from madang.ports.objects import Obj

MAGIC = b"k8s\0"
MEDIA = "application/vnd.kubernetes.protobuf"
_MACHINERY = "k8s.io.apimachinery.pkg"
_META = f"{_MACHINERY}.apis.meta.v1"
_UNKNOWN = f"{_MACHINERY}.runtime.Unknown"
# Go embeds these, so JSON has their fields one level higher.
_INLINE = frozenset({"volumeSource", "handler", "localObjectReference", "ephemeralContainerCommon"})
_GROUPS = {"": "core"}

Field = tuple[str, str, tuple[str, ...]]


@cache
def _messages() -> dict[str, dict[int, Field]]:
    raw: dict[str, list[list[Any]]] = json.loads((files("madang.wire") / "protobuf.json").read_text("utf-8"))
    return {
        name: {field[0]: (field[1], field[2], tuple(field[3:])) for field in fields} for name, fields in raw.items()
    }


def read(body: bytes) -> Obj:
    """Raises BadRequest where this is no such body, or of a kind whose numbers are not known."""
    if not body.startswith(MAGIC):
        raise BadRequest("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    try:
        unknown = _message(_UNKNOWN, memoryview(body)[4:])
        about = unknown.get("typeMeta") or {}
        api_version, kind = about.get("apiVersion", ""), about.get("kind", "")
        raw = base64.b64decode(unknown.get("raw", ""))
        found = _message(_name(api_version, kind), memoryview(raw))
    except (IndexError, struct.error, UnicodeDecodeError, ValueError) as fault:
        raise BadRequest(f"the protobuf body cannot be read: {fault}") from fault
    return {"apiVersion": api_version, "kind": kind, **found}


def _name(api_version: str, kind: str) -> str:
    if kind == "DeleteOptions":
        return f"{_META}.DeleteOptions"
    group, _, version = api_version.rpartition("/")
    name = f"k8s.io.api.{_GROUPS.get(group, group.split('.')[0])}.{version}.{kind}"
    if name not in _messages():
        raise BadRequest(f'no kind "{kind}" is registered for version "{api_version}" in the protobuf encoding')
    return name


def _message(name: str, data: memoryview) -> Obj:
    fields = _messages()[name]
    found: Obj = {}
    for number, wire, value in _parts(data):
        field = fields.get(number)
        if field is None:
            continue
        key, how, kinds = field
        if how == "map":
            entry_key, entry_value = _entry(kinds, value)
            found.setdefault(key, {})[entry_key] = entry_value
        elif how == "repeated":
            found.setdefault(key, []).extend(_packed(kinds[0], wire, value))
        elif key in _INLINE:
            found.update(_message(kinds[0], value))
        else:
            found[key] = _value(kinds[0], value)
    return found


def _entry(kinds: tuple[str, ...], data: memoryview) -> tuple[str, Any]:
    key, value = "", None
    for number, _, part in _parts(data):
        if number == 1:
            key = str(_value(kinds[0], part))
        elif number == 2:
            value = _value(kinds[1], part)
    return key, _empty(kinds[1]) if value is None else value


def _empty(kind: str) -> Any:
    return {"string": "", "bytes": "", "bool": False}.get(kind, 0 if "." not in kind else {})


def _packed(kind: str, wire: int, value: Any) -> list[Any]:
    if wire == 2 and kind in ("int32", "int64", "bool"):
        found, at = [], 0
        while at < len(value):
            number, at = _varint(value, at)
            found.append(_value(kind, number))
        return found
    return [_value(kind, value)]


def _value(kind: str, value: Any) -> Any:
    match kind:
        case "string":
            return bytes(value).decode()
        case "bytes":
            return base64.b64encode(value).decode()
        case "bool":
            return bool(value)
        case "int32" | "int64":
            return value - (1 << 64) if value >= 1 << 63 else value
        case "double":
            return struct.unpack("<d", value)[0]
    special = _SPECIAL.get(kind)
    return special(value) if special is not None else _message(kind, value)


def _time(micro: bool, data: memoryview) -> str | None:
    found = {number: value for number, _, value in _parts(data)}
    if not found:
        return None  # Go's zero time is an empty message
    seconds = _value("int64", found.get(1, 0)) + found.get(2, 0) / 1e9
    return format_micros(seconds) if micro else format_seconds(seconds)


def _int_or_string(data: memoryview) -> int | str:
    found = {number: value for number, _, value in _parts(data)}
    return bytes(found.get(3, b"")).decode() if found.get(1) else int(_value("int32", found.get(2, 0)))


def _raw(data: memoryview) -> Any:
    found = {number: value for number, _, value in _parts(data)}
    return json.loads(bytes(found[1])) if found.get(1) else {}


def _text(data: memoryview) -> str:
    found = {number: value for number, _, value in _parts(data)}
    return bytes(found.get(1, b"")).decode()


def _items(data: memoryview) -> list[str]:
    return [bytes(value).decode() for number, _, value in _parts(data) if number == 1]


_SPECIAL = {
    f"{_META}.Time": lambda data: _time(False, data),
    f"{_META}.MicroTime": lambda data: _time(True, data),
    f"{_MACHINERY}.api.resource.Quantity": _text,
    f"{_MACHINERY}.util.intstr.IntOrString": _int_or_string,
    f"{_META}.FieldsV1": _raw,
    f"{_MACHINERY}.runtime.RawExtension": _raw,
    "k8s.io.api.authentication.v1.ExtraValue": _items,
    "k8s.io.api.authorization.v1.ExtraValue": _items,
}


def _parts(data: memoryview) -> Iterator[tuple[int, int, Any]]:
    """(field number, wire type, value) of one message (protobuf's own encoding)."""
    at, size = 0, len(data)
    while at < size:
        tag, at = _varint(data, at)
        wire = tag & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield tag >> 3, wire, value
        elif wire == 2:
            length, at = _varint(data, at)
            if at + length > size:
                raise ValueError("unexpected EOF")
            yield tag >> 3, wire, data[at : at + length]
            at += length
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
            yield tag >> 3, wire, data[at : at + length]
            at += length
        else:
            raise ValueError(f"illegal wire type {wire}")


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, at
        shift += 7
        if shift > 63:
            raise ValueError("integer overflow")
