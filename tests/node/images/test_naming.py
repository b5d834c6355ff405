"""Names that move from one image to another."""

from typing import Any

import pytest

from madang.node.images.layout import REF_NAME
from madang.node.images.naming import entry_of, give


def test_names_move() -> None:
    one, two = {"digest": "1", "size": 1}, {"digest": "2", "size": 1}
    entries: list[dict[str, Any]] = []
    give(entries, one, ("a", "b"))
    give(entries, one, ("a",))
    give(entries, two, ("b",))
    refs = lambda: [(e["digest"], e.get("annotations", {}).get(REF_NAME)) for e in entries]  # noqa: E731
    assert refs() == [("1", "a"), ("2", "b")]
    give(entries, two, ("a",))
    assert refs() == [("1", None), ("2", "b"), ("2", "a")]
    give(entries, one, ())
    give(entries, two, ())
    assert refs() == [("1", None), ("2", "b"), ("2", "a")]
    give(entries, one, ("c",))
    assert refs() == [("2", "b"), ("2", "a"), ("1", "c")]


def test_the_descriptor_without_its_name() -> None:
    entries = [{"digest": "1", "size": 1, "annotations": {REF_NAME: "a", "k": "v"}}, {"digest": "2", "size": 2}]
    assert entry_of(entries, "1") == {"digest": "1", "size": 1, "annotations": {"k": "v"}}
    assert entry_of(entries, "2") == {"digest": "2", "size": 2}
    with pytest.raises(KeyError):
        entry_of(entries, "3")
