from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.kinds.patches import apply_strategic
from madang.kinds.schema import node
from madang.ports.errors import StatusError

POD = node("", "v1", "Pod")


def spec(obj: dict[str, Any], patch: dict[str, Any]) -> Any:
    return apply_strategic({"spec": obj}, {"spec": patch}, POD)["spec"]


TWO = {"containers": [{"name": "a", "image": "a:1", "env": [{"name": "X", "value": "1"}]}, {"name": "b"}]}


def test_elements_merge_by_their_key() -> None:
    got = spec(TWO, {"containers": [{"name": "b", "image": "b:2"}, {"name": "a", "env": [{"name": "Y"}]}]})
    assert got == {
        "containers": [
            {"name": "b", "image": "b:2"},
            {"name": "a", "image": "a:1", "env": [{"name": "Y"}, {"name": "X", "value": "1"}]},
        ]
    }


def test_new_elements_go_first_and_carry_no_nulls() -> None:
    got = spec(TWO, {"containers": [{"name": "z", "image": None, "env": None}]})
    assert [c["name"] for c in got["containers"]] == ["z", "a", "b"]
    assert got["containers"][0] == {"name": "z"}


def test_directives() -> None:
    assert spec(TWO, {"containers": [{"name": "a", "$patch": "delete"}]}) == {"containers": [{"name": "b"}]}
    replaced = spec(TWO, {"containers": [{"$patch": "replace"}, {"name": "q"}]})
    assert replaced == {"containers": [{"name": "q"}]}
    assert spec({"securityContext": {"runAsUser": 1}}, {"securityContext": {"$patch": "replace", "runAsGroup": 2}}) == {
        "securityContext": {"runAsGroup": 2}
    }
    assert spec({"securityContext": {"runAsUser": 1}}, {"securityContext": {"$patch": "delete"}}) == {
        "securityContext": {}
    }
    volumes = {"volumes": [{"name": "v", "emptyDir": {}}]}
    kept = spec(volumes, {"volumes": [{"$retainKeys": ["name", "configMap"], "name": "v", "configMap": {"name": "m"}}]})
    assert kept == {"volumes": [{"name": "v", "configMap": {"name": "m"}}]}


def test_order_is_what_the_patch_says() -> None:
    patch = {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}], "containers": [{"name": "b", "image": "x"}]}
    assert [c["name"] for c in spec(TWO, patch)["containers"]] == ["b", "a"]


def test_lists_of_plain_values() -> None:
    before = {"metadata": {"finalizers": ["a", "b"]}}

    def finalizers(patch: dict[str, Any]) -> Any:
        return apply_strategic(before, {"metadata": patch}, POD)["metadata"]["finalizers"]

    assert sorted(finalizers({"finalizers": ["c", "a"]})) == ["a", "b", "c"]
    assert finalizers({"$deleteFromPrimitiveList/finalizers": ["a"]}) == ["b"]
    both = {
        "$deleteFromPrimitiveList/finalizers": ["a"],
        "$setElementOrder/finalizers": ["c", "b"],
        "finalizers": ["c"],
    }
    assert finalizers(both) == ["c", "b"]


def test_lists_without_a_key_are_replaced() -> None:
    before = {"tolerations": [{"key": "k"}], "containers": []}
    assert spec(before, {"tolerations": [{"key": "o"}]})["tolerations"] == [{"key": "o"}]


@pytest.mark.parametrize(
    ("patch", "code", "words"),
    [
        ([], 400, "json: cannot unmarshal array into Go value of type map[string]interface {}"),
        (
            {"spec": {"containers": [{"image": "x"}]}},
            500,
            "map: map[image:x] does not contain declared merge key: name",
        ),
        ({"spec": {"$retainKeys": ["a"], "nodeName": "x"}}, 400, "invalid patch format of retainKeys"),
        ({"metadata": {"$deleteFromPrimitiveList/finalizers": 1}}, 400, "invalid patch format of primitive list"),
        ({"$patch": "what"}, 500, "unknown patch type: what"),
    ],
)
def test_refusals(patch: Any, code: int, words: str) -> None:
    with pytest.raises(StatusError) as fault:
        apply_strategic({"metadata": {}, "spec": TWO}, patch, POD)
    assert (fault.value.code, fault.value.message) == (code, words)


names = st.sampled_from(["a", "b", "c", "d"])
containers = st.lists(
    st.fixed_dictionaries({"name": names}, optional={"image": names, "workingDir": names}),
    unique_by=lambda c: c["name"],
    max_size=4,
)


@given(containers, containers)
def test_merging_twice_changes_nothing_more(before: list[Any], change: list[Any]) -> None:
    patch = {"containers": change}
    once = spec({"containers": before}, patch)
    assert spec(once, patch) == once
    assert {c["name"] for c in once["containers"]} == {c["name"] for c in (*before, *change)}


@given(containers)
def test_an_object_patched_by_itself_stays(before: list[Any]) -> None:
    assert spec({"containers": before}, {"containers": before}) == {"containers": before}
