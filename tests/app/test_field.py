"""Values with their path: numbers, lengths of time, sizes, and what is said of wrong ones."""

from typing import Any

import pytest

from madang.app.document import Mark
from madang.app.field import Field


def field(value: Any) -> Field:
    return Field(value, "services.a.x", Mark("c.yaml", 3), [])


@pytest.mark.parametrize(
    ("text", "seconds"), [("10s", 10), ("1m30s", 90), ("500ms", 0.5), ("1h", 3600), ("0", 0), ("1.5s", 1.5)]
)
def test_lengths_of_time(text: str, seconds: float) -> None:
    assert field(text).seconds() == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [("1k", 1024), ("256M", 256 << 20), ("1gb", 1 << 30), (512, 512), ("1.5g", 3 << 29), ("2 MiB", 2 << 20)],
)
def test_sizes(text: Any, size: int) -> None:
    assert field(text).size_bytes() == size


@pytest.mark.parametrize(
    ("verb", "value", "said"),
    [
        ("whole", "two", 'expected a whole number, found "two"'),
        ("whole", True, "expected a whole number, found true"),
        ("whole", -1, "expected a whole number from 0, found -1"),
        ("number", "lots", 'expected a number, found "lots"'),
        ("seconds", "10", 'expected a length of time such as 10s or 1m30s, found "10"'),
        ("size_bytes", "5Q", 'expected a size such as 256M or 1G, found "5Q"'),
        ("truth", "perhaps", 'expected true or false, found "perhaps"'),
        ("text", ["a"], "expected text, found a list"),
    ],
)
def test_what_is_wrong_is_said_in_the_same_words(verb: str, value: Any, said: str) -> None:
    one = field(value)
    getattr(one, verb)()
    assert one.faults == [f"c.yaml:3: services.a.x: {said}"]


def test_numbers_may_be_written_as_text() -> None:
    assert field("3").whole() == 3 and field("0.5").number() == 0.5 and field("true").truth()


def test_what_is_not_there_is_false_and_gives_the_default() -> None:
    one = field({"a": {"b": 1}})
    assert not one["x"]["y"] and one["x"]["y"].whole(7) == 7
    assert one["a"]["b"].path == "services.a.x.a.b"
