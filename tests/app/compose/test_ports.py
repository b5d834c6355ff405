"""Short and long forms of ports and volumes."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.app.compose.canonical import short_volume
from madang.app.compose.ports import port_entries
from madang.app.document import Map, Mark
from madang.app.field import Field


def field(value: Any) -> Field:
    return Field(value, "x", Mark("c.yaml", 1), [])


def entries(value: Any) -> list[tuple[str, int, int, str]]:
    return [(e["host_ip"], e["published"], e["target"], e["protocol"]) for e in port_entries(field(value))]


@pytest.mark.parametrize(
    ("text", "made"),
    [
        (8000, [("", 0, 8000, "tcp")]),
        ("8080:8000", [("", 8080, 8000, "tcp")]),
        ("127.0.0.1:8080:8000", [("127.0.0.1", 8080, 8000, "tcp")]),
        ("127.0.0.1::8000", [("127.0.0.1", 0, 8000, "tcp")]),
        ("[::1]:8080:8000/udp", [("::1", 8080, 8000, "udp")]),
        ("3000-3001:4000-4001", [("", 3000, 4000, "tcp"), ("", 3001, 4001, "tcp")]),
        ("8000-8010:80", [("", 8000, 80, "tcp")]),
        ("3000-3001", [("", 0, 3000, "tcp"), ("", 0, 3001, "tcp")]),
        (Map([("target", 80), ("published", "8080"), ("protocol", "udp")]), [("", 8080, 80, "udp")]),
    ],
)
def test_forms(text: Any, made: list[tuple[str, int, int, str]]) -> None:
    assert entries(text) == made


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a:b", "expected a port such as 8000"),
        ("70000", "expected port numbers from 1 to 65535"),
        ("1-2:1-3", "the ranges 1-2 and 1-3 differ in length"),
        ("80/xtp", 'expected the protocol tcp or udp, found "xtp"'),
    ],
)
def test_refusals(text: str, said: str) -> None:
    one = field(text)
    assert port_entries(one) == [] and said in one.faults[0]


@given(st.integers(1, 65535), st.integers(1, 65535))
def test_every_pair_of_numbers_is_a_mapping(outside: int, inside: int) -> None:
    assert entries(f"{outside}:{inside}") == [("", outside, inside, "tcp")]


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("/data", {"type": "volume", "target": "/data"}),
        ("v:/data", {"type": "volume", "source": "v", "target": "/data"}),
        ("./src:/app:ro", {"type": "bind", "source": "/base/src", "target": "/app", "read_only": True}),
        ("/etc/x:/x:z,rw", {"type": "bind", "source": "/etc/x", "target": "/x"}),
    ],
)
def test_short_volumes(text: str, made: dict[str, Any]) -> None:
    assert short_volume(field(text), Path("/base")) == made


def test_a_volume_inside_must_be_absolute() -> None:
    one = field("v:data")
    assert short_volume(one, Path("/base")) is None
    assert one.faults == ['c.yaml:1: x: the path inside must be absolute, found "data"']
