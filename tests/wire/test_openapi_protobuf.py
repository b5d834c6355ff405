"""The protobuf form of OpenAPI v2, read back field by field."""

from madang.kinds.openapi_v2 import document
from madang.wire.openapi_protobuf import document as packed
from madang.wire.openapi_protobuf import schema
from madang.wire.protobuf import _parts


def fields(data: bytes) -> list[tuple[int, bytes | int]]:
    return [
        (number, bytes(value) if isinstance(value, memoryview) else value)
        for number, _, value in _parts(memoryview(data))
    ]


def test_every_definition_is_there_by_its_name() -> None:
    found = document()
    whole = dict(fields(packed(found)))
    assert whole[1] == b"2.0"
    definitions = whole[9]
    assert isinstance(definitions, bytes)
    names = [dict(fields(bytes(one)))[1] for _, one in fields(definitions) if isinstance(one, bytes)]
    assert names == [name.encode() for name in found["definitions"]]


def test_a_schema_field_by_field() -> None:
    described = {
        "type": "object", "required": ["a"], "properties": {"a": {"$ref": "#/definitions/x"}},
        "additionalProperties": {"type": "string"}, "maxLength": 300, "minimum": 0.5, "default": {"b": 1},
        "x-kubernetes-list-type": "map",
    }  # fmt: skip
    reference = b"\x0a\x0f#/definitions/x"
    assert fields(schema(described)) == [
        (9, b"\0\0\0\0\0\0\xe0?"),
        (11, 300),
        (5, b'\x12\x07{"b":1}'),
        (19, b"a"),
        (21, b"\x0a\x0b" + schema({"type": "string"})),
        (22, b"\x0a\x06object"),
        (25, b"\x0a\x16\x0a\x01a\x12\x11" + reference),
        (31, b"\x0a\x16x-kubernetes-list-type\x12\x07\x12\x05" + b'"map"'),
    ]
