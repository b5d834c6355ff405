from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from madang.kinds.managed.differences import created, differ_root, held_root
from madang.kinds.managed.sets import join, minus
from madang.kinds.managed.shapes import root
from madang.kinds.schema import node

POD = root(node("", "v1", "Pod"))
names, words = st.sampled_from("abc"), st.sampled_from(["x", "y"])
env = st.lists(st.fixed_dictionaries({"name": names}, optional={"value": words}), unique_by=lambda e: e["name"])
containers = st.lists(
    st.fixed_dictionaries({"name": names}, optional={"image": words, "env": env}), unique_by=lambda c: c["name"]
)
maps = st.dictionaries(names, words)
pods = st.fixed_dictionaries(
    {"spec": st.fixed_dictionaries({"containers": containers}, optional={"nodeSelector": maps})},
    optional={"metadata": st.fixed_dictionaries({"name": words}, optional={"labels": maps})},
)


@given(pods, pods)
def test_what_comes_one_way_goes_the_other(one: dict[str, Any], two: dict[str, Any]) -> None:
    changed, removed = differ_root(one, two, POD)
    back, gone = differ_root(two, one, POD)
    assert minus(changed, back) == minus(gone, back)  # what came, and what merely changed is changed both ways
    assert minus(back, changed) == minus(removed, changed)
    if one.get("metadata", {}).get("labels") == two.get("metadata", {}).get("labels") and one["spec"] == two["spec"]:
        assert not changed and not removed


@given(pods)
def test_what_is_applied_is_part_of_what_is_made(pod: dict[str, Any]) -> None:
    everything = join(created(pod, POD), {"f:spec": {".": {}, "f:containers": {}}, "f:metadata": {}})
    assert minus(held_root(pod, POD), everything) == {}
