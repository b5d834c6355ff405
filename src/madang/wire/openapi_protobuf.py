"""The OpenAPI v2 document in its protobuf form, the only one that kubectl asks for.

In: the document as JSON values. Out: bytes of gnostic's `openapi.v2.Document` (field numbers: openapiv2/OpenAPIv2.proto
of github.com/google/gnostic). What a definition doesn't have is left out, as protobuf has it.
"""

import struct
from typing import Any

import orjson

from madang.ports.objects import Obj

MEDIA = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
ASKED = (MEDIA, "application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
_TEXTS = {"$ref": 1, "format": 2, "title": 3, "description": 4, "pattern": 13}
_DOUBLES = {"maximum": 7, "minimum": 9}
_COUNTS = {"maxLength": 11, "minLength": 12, "maxItems": 14, "minItems": 15, "maxProperties": 17, "minProperties": 18}


def document(found: Obj) -> bytes:
    info = _text(1, found["info"]["title"]) + _text(2, found["info"]["version"])
    return _text(1, found["swagger"]) + _field(2, info) + _field(8, b"") + _field(9, _named(found["definitions"]))


def _named(schemas: Obj) -> bytes:
    return b"".join(_field(1, _text(1, name) + _field(2, schema(value))) for name, value in schemas.items())


def schema(found: Obj) -> bytes:
    out = b"".join(_text(number, found[name]) for name, number in _TEXTS.items() if name in found)
    out += b"".join(_double(number, found[name]) for name, number in _DOUBLES.items() if name in found)
    out += b"".join(_count(number, found[name]) for name, number in _COUNTS.items() if name in found)
    if "default" in found:
        out += _field(5, _any(found["default"]))
    out += b"".join(_text(19, name) for name in found.get("required", ()))
    out += b"".join(_field(20, _any(value)) for value in found.get("enum", ()))
    if isinstance(found.get("additionalProperties"), dict):
        out += _field(21, _field(1, schema(found["additionalProperties"])))
    if "type" in found:
        out += _field(22, _text(1, found["type"]))
    if "items" in found:
        out += _field(23, _field(1, schema(found["items"])))
    if "properties" in found:
        out += _field(25, _named(found["properties"]))
    marks = {name: value for name, value in found.items() if name.startswith("x-")}
    return out + b"".join(_field(31, _text(1, name) + _field(2, _any(value))) for name, value in marks.items())


def _any(value: Any) -> bytes:
    """As YAML, of which JSON is a part."""
    return _field(2, orjson.dumps(value))


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode())


def _double(number: int, value: float) -> bytes:
    return _varint(number << 3 | 1) + struct.pack("<d", value)


def _count(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
