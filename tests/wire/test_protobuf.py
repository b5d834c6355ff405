"""Bodies in protobuf: what a typed Go client sends for a ConfigMap and a Deployment's parts."""

import pytest

from madang.ports.errors import BadRequest
from madang.wire.protobuf import read


def field(number: int, data: bytes) -> bytes:
    return bytes([number << 3 | 2]) + length(len(data)) + data


def length(size: int) -> bytes:
    out = b""
    while size > 127:
        out += bytes([size & 127 | 128])
        size >>= 7
    return out + bytes([size])


def body(api_version: bytes, kind: bytes, raw: bytes) -> bytes:
    return b"k8s\0" + field(1, field(1, api_version) + field(2, kind)) + field(2, raw)


def test_a_config_map() -> None:
    meta = field(1, b"name-1") + field(8, b"") + field(11, field(1, b"app") + field(2, b"web"))
    data = field(2, field(1, b"k") + field(2, b"v" * 200))
    found = read(body(b"v1", b"ConfigMap", field(1, meta) + data))
    assert found == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "name-1", "creationTimestamp": None, "labels": {"app": "web"}},
        "data": {"k": "v" * 200},
    }


def test_embedded_structs_numbers_and_int_or_string() -> None:
    port = field(5, field(1, b"http") + bytes([0x18, 80]) + field(4, bytes([0x08, 1]) + field(3, b"web")))
    service = read(body(b"v1", b"Service", field(2, field(1, field(1, b"x"))[0:0] + port[0:0])))
    assert service["spec"] == {}
    volume = field(1, field(1, b"v") + field(2, field(2, b"")))
    pod = read(
        body(b"v1", b"Pod", field(2, volume + bytes([0x20, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1])))
    )
    assert pod["spec"]["volumes"] == [{"name": "v", "emptyDir": {}}]
    assert pod["spec"]["terminationGracePeriodSeconds"] == -1


@pytest.mark.parametrize(
    "bad", [b"", b"{}", b"k8s\0\xff", body(b"v9", b"ConfigMap", b""), b"k8s\0" + field(1, b"\x0a\x7f")]
)
def test_what_cannot_be_read_is_a_bad_request(bad: bytes) -> None:
    with pytest.raises(BadRequest):
        read(bad)
