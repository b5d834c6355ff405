from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.kinds.patches import apply_json
from madang.ports.errors import StatusError

REJECTED = "the server rejected our request due to an error in our request"


@pytest.mark.parametrize(
    ("operations", "wanted"),
    [
        ([{"op": "add", "path": "/b", "value": 1}], {"a": {"x": [1, 2]}, "b": 1}),
        ([{"op": "add", "path": "/a/x/-", "value": 3}], {"a": {"x": [1, 2, 3]}}),
        ([{"op": "add", "path": "/a/x/1", "value": 3}], {"a": {"x": [1, 3, 2]}}),
        ([{"op": "remove", "path": "/a/x/-1"}], {"a": {"x": [1]}}),
        ([{"op": "replace", "path": "/a/x/0", "value": 9}], {"a": {"x": [9, 2]}}),
        ([{"op": "replace", "path": "/new", "value": 9}], {"a": {"x": [1, 2]}, "new": 9}),
        ([{"op": "move", "from": "/a/x", "path": "/y"}], {"a": {}, "y": [1, 2]}),
        ([{"op": "copy", "from": "/a/x", "path": "/a/y"}], {"a": {"x": [1, 2], "y": [1, 2]}}),
        ([{"op": "test", "path": "/a/x", "value": [1, 2]}], {"a": {"x": [1, 2]}}),
        ([{"op": "test", "path": "/none", "value": None}], {"a": {"x": [1, 2]}}),
        ([{"op": "add", "path": "/a~1b~0c", "value": 1}], {"a": {"x": [1, 2]}, "a/b~c": 1}),
    ],
)
def test_operations(operations: list[Any], wanted: Any) -> None:
    before = {"a": {"x": [1, 2]}}
    assert apply_json(before, operations) == wanted
    assert before == {"a": {"x": [1, 2]}}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/none"},
        {"op": "jump", "path": "/a"},
        {"op": "test", "path": "/a", "value": 1},
        {"op": "add", "path": "/a/x/9", "value": 1},
        {"op": "add", "path": "/none/x", "value": 1},
        {"op": "move", "from": "/none", "path": "/b"},
        {"op": "add", "path": "a", "value": 1},
        {"op": "replace", "path": "", "value": 1},
        {"op": "remove", "path": ""},
        {"op": "test", "path": "/a/x/0", "value": True},
    ],
)
def test_what_does_not_fit_is_refused_without_a_word_why(operation: dict[str, Any]) -> None:
    with pytest.raises(StatusError) as fault:
        apply_json({"a": {"x": [1, 2]}}, [operation])
    assert fault.value.body() == {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": REJECTED, "reason": "Invalid", "details": {}, "code": 422,
    }  # fmt: skip


def test_a_patch_is_a_list() -> None:
    with pytest.raises(StatusError) as fault:
        apply_json({}, {"op": "add"})
    assert fault.value.message == (
        "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
    )
    with pytest.raises(StatusError) as fault:
        apply_json({}, [{}] * 10_001)
    assert fault.value.code == 413


values = st.recursive(
    st.integers() | st.text("ab", max_size=2),
    lambda s: st.dictionaries(st.text("ab~/"), s) | st.lists(s),
    max_leaves=20,
)


@given(st.dictionaries(st.text("ab~/", min_size=1), values), st.text("ab~/", min_size=1), values)
def test_what_was_added_is_found_and_can_go_again(obj: dict[str, Any], key: str, value: Any) -> None:
    obj.pop(key, None)
    path = "/" + key.replace("~", "~0").replace("/", "~1")
    added = apply_json(obj, [{"op": "add", "path": path, "value": value}])
    assert added == obj | {key: value}
    assert apply_json(added, [{"op": "test", "path": path, "value": value}, {"op": "remove", "path": path}]) == obj


def test_copies_of_copies_end_early() -> None:
    doubling = [{"op": "copy", "from": "/a", "path": f"/a/{i}"} for i in range(64)]
    with pytest.raises(StatusError, match=REJECTED):
        apply_json({"a": {"x": "y" * 100}}, doubling)
