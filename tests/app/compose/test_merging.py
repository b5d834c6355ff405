"""Properties of the merge: nothing over something changes nothing, and the same file twice is the file."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from madang.app.compose.merging import mapping, without_resets
from madang.app.document import Map, plain, read

SCALARS = st.one_of(st.integers(0, 9), st.text(alphabet="abc", max_size=3), st.booleans())
TREES = st.dictionaries(
    st.sampled_from(["image", "command", "labels", "expose", "deploy", "x-a"]),
    st.recursive(
        SCALARS,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3, unique_by=repr), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
        ),
        max_leaves=8,
    ),
    max_size=4,
)


def marked(tree: Any) -> Map:
    import json

    out = read(json.dumps(tree), "f.yaml")
    return out[0] if out else Map()


@given(TREES)
def test_nothing_changes_nothing(tree: Any) -> None:
    assert plain(mapping(marked(tree), Map(), ())) == tree == plain(mapping(Map(), marked(tree), ()))


@given(TREES)
def test_twice_is_once(tree: Any) -> None:
    assert plain(mapping(marked(tree), marked(tree), ())) == tree


@given(TREES, TREES)
def test_the_later_scalar_wins_and_no_key_is_lost(first: Any, second: Any) -> None:
    merged = plain(mapping(marked(first), marked(second), ()))
    assert set(merged) == set(first) | set(second)
    for key, value in second.items():
        if not isinstance(value, dict | list):
            assert merged[key] == value


def test_commands_are_replaced_and_lists_joined() -> None:
    first, second = (
        read("{command: [a], expose: ['1'], healthcheck: {test: [x]}}", "f")[0],
        read("{command: [b], expose: ['2', '1'], healthcheck: {test: [y]}}", "g")[0],
    )
    assert plain(mapping(first, second, ())) == {"command": ["b"], "expose": ["1", "2"], "healthcheck": {"test": ["y"]}}


def test_a_variable_without_a_value_is_taken_from_who_starts() -> None:
    first, second = read("{environment: {A: '1'}, image: x}", "f")[0], read("{environment: {A: }, image: }", "g")[0]
    assert plain(mapping(first, second, ())) == {"environment": {"A": None}, "image": "x"}


def test_resets_of_a_single_file_leave_nothing() -> None:
    assert without_resets(read("{a: !reset x, b: [!reset y, 1]}", "f")[0]) == {"b": [1]}
