from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.kinds.patches import apply_merge
from madang.ports.errors import StatusError


def test_maps_merge_null_removes_lists_are_replaced() -> None:
    before = {"a": {"b": 1, "c": 2}, "d": [1], "e": "x"}
    assert apply_merge(before, {"a": {"b": None, "z": 3}, "d": [2], "e": {"f": None, "g": 1}}) == {
        "a": {"c": 2, "z": 3},
        "d": [2],
        "e": {"g": 1},
    }
    assert before == {"a": {"b": 1, "c": 2}, "d": [1], "e": "x"}


def test_a_patch_is_an_object() -> None:
    with pytest.raises(StatusError) as fault:
        apply_merge({}, [])
    assert fault.value.code == 400
    assert fault.value.message == (
        "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"
    )


keys = st.text("abc", max_size=1)
documents = st.recursive(st.integers() | st.lists(st.integers()), lambda s: st.dictionaries(keys, s))
patches = st.recursive(st.none() | st.integers(), lambda s: st.dictionaries(keys, s))


@given(st.dictionaries(keys, documents), st.dictionaries(keys, patches))
def test_the_same_patch_twice_is_the_same_patch_once(obj: dict[str, Any], patch: dict[str, Any]) -> None:
    once = apply_merge(obj, patch)
    assert apply_merge(once, patch) == once


@given(st.dictionaries(keys, documents))
def test_an_object_patched_by_itself_stays(obj: dict[str, Any]) -> None:
    assert apply_merge(obj, obj) == obj
