"""Server-side apply, as dialogues; what is expected was recorded from a Kubernetes v1.36 API server."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.kinds.managed import apply, on_create, on_update
from madang.kinds.schema import node
from madang.ports.errors import Conflict

CONFIG_MAP, DEPLOYMENT = node("", "v1", "ConfigMap"), node("apps", "v1", "Deployment")
LAST = "kubectl.kubernetes.io/last-applied-configuration"
NOW = "2026-01-01T00:00:00Z"


def config_map(data: dict[str, str] | None, **meta: Any) -> dict[str, Any]:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", **meta}}
    return body if data is None else body | {"data": data}


def owners(obj: dict[str, Any]) -> dict[str, Any]:
    return {e["manager"]: e["fieldsV1"] for e in obj["metadata"].get("managedFields", [])}


def do(old: Any, body: dict[str, Any], manager: str, *, force: bool = False) -> dict[str, Any]:
    return apply(old, body, CONFIG_MAP, manager, NOW, force=force)


def test_a_dialogue_about_a_config_map() -> None:
    c = do(None, config_map({"a": "1", "b": "2"}), "one")
    assert owners(c) == {"one": {"f:data": {"f:a": {}, "f:b": {}}}}
    assert do(c, config_map({"a": "1", "b": "2"}), "one") is c
    c = do(c, config_map({"c": "3"}), "two")
    c = do(c, config_map({"a": "1", "c": "3"}), "two")
    assert owners(c) == {"one": {"f:data": {"f:a": {}, "f:b": {}}}, "two": {"f:data": {"f:a": {}, "f:c": {}}}}
    with pytest.raises(Conflict) as refused:
        do(c, config_map({"a": "9"}), "three")
    assert refused.value.message == (
        'Apply failed with 2 conflicts: conflicts with "one":\n- .data.a\nconflicts with "two":\n- .data.a'
    )
    assert refused.value.details == {
        "causes": [
            {"field": ".data.a", "message": 'conflict with "two"', "reason": "FieldManagerConflict"},
            {"field": ".data.a", "message": 'conflict with "one"', "reason": "FieldManagerConflict"},
        ]
    }
    c = do(c, config_map({"a": "9"}), "three", force=True)
    assert c["data"] == {"a": "9", "b": "2", "c": "3"}
    assert owners(c) == {n: {"f:data": {f"f:{k}": {}}} for n, k in (("one", "b"), ("three", "a"), ("two", "c"))}
    c = do(c, config_map(None), "two")
    assert c["data"] == {"a": "9", "b": "2"}


def test_conflicts_with_updates_say_their_version() -> None:
    c = do(None, config_map({"b": "1"}), "one")
    new = config_map({"b": "changed", "z": "1"})
    c = {**new, "metadata": {**new["metadata"], "managedFields": on_update(c, new, CONFIG_MAP, "editor", NOW)}}
    assert owners(c) == {"editor": {"f:data": {"f:b": {}, "f:z": {}}}}
    with pytest.raises(Conflict) as refused:
        do(c, config_map({"b": "2"}), "one")
    assert refused.value.message == 'Apply failed with 1 conflict: conflict with "editor" using v1: .data.b'


def test_sets_are_owned_by_value() -> None:
    c = do(None, config_map(None, finalizers=["x.example/a"]), "one")
    c = do(c, config_map(None, finalizers=["x.example/b"]), "two")
    assert c["metadata"]["finalizers"] == ["x.example/a", "x.example/b"]
    assert owners(c)["two"] == {"f:metadata": {"f:finalizers": {'v:"x.example/b"': {}}}}
    c = do(c, config_map(None), "one")
    assert c["metadata"]["finalizers"] == ["x.example/b"]
    assert "finalizers" not in do(c, config_map(None), "two")["metadata"]


def test_an_object_that_nobody_owned_is_owned_by_its_past() -> None:
    c = do(config_map({"a": "1"}), config_map({"b": "1"}), "one")
    assert owners(c) == {"before-first-apply": {"f:data": {".": {}, "f:a": {}}}, "one": {"f:data": {"f:b": {}}}}


def deployment(*containers: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {"paused": False, "selector": {"matchLabels": {"app": "a"}}, "template": {"spec": {
            "containers": list(containers)}}},
    }  # fmt: skip


def test_items_of_keyed_lists_come_and_go_alone() -> None:
    env = [{"name": "X", "value": "1"}]
    port = [{"containerPort": 80}]
    mine = deployment({"name": "a", "image": "a:1", "env": env}, {"name": "b", "image": "b:1", "ports": port})
    d = apply(None, mine, DEPLOYMENT, "one", NOW)
    ports = owners(d)["one"]["f:spec"]["f:template"]["f:spec"]["f:containers"]['k:{"name":"b"}']["f:ports"]
    assert ports == {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}}
    with pytest.raises(Conflict) as refused:
        apply(d, deployment({"name": "a", "image": "a:2"}), DEPLOYMENT, "two", NOW)
    assert refused.value.message == (
        'Apply failed with 1 conflict: conflict with "one": .spec.template.spec.containers[name="a"].image'
    )
    d = apply(d, deployment({"name": "a", "env": [{"name": "Y"}]}), DEPLOYMENT, "two", NOW)
    first = d["spec"]["template"]["spec"]["containers"][0]
    assert [e["name"] for e in first["env"]] == ["X", "Y"]
    d = apply(d, deployment({"name": "a", "image": "a:1", "env": env}), DEPLOYMENT, "one", NOW)
    assert [c["name"] for c in d["spec"]["template"]["spec"]["containers"]] == ["a"]
    d = apply(d, deployment({"name": "a"}), DEPLOYMENT, "two", NOW)
    assert d["spec"]["template"]["spec"]["containers"] == [{"name": "a", "image": "a:1", "env": env}]


def test_kubectl_takes_over_what_it_applied_from_the_client() -> None:
    first = config_map({"a": "1", "b": "1"})
    note = {LAST: json.dumps(first)}
    c = {**first, "metadata": {**first["metadata"], "annotations": note}}
    c["metadata"]["managedFields"] = on_create(c, CONFIG_MAP, "kubectl-client-side-apply", NOW)
    with pytest.raises(Conflict):
        do(c, config_map({"a": "2"}), "somebody")
    d = do(c, config_map({"a": "2"}), "kubectl")
    assert d["data"] == {"a": "2", "b": "1"}
    assert json.loads(d["metadata"]["annotations"][LAST])["data"] == {"a": "2"}
    edited = config_map({"a": "9", "b": "1"}, annotations=note)
    edited["metadata"]["managedFields"] = on_update(c, edited, CONFIG_MAP, "editor", NOW)
    with pytest.raises(Conflict) as refused:
        do(edited, config_map({"a": "2"}), "kubectl")
    assert refused.value.message == 'Apply failed with 1 conflict: conflict with "editor" using v1: .data.a'


def test_an_applied_false_counts() -> None:
    d = apply(None, deployment(), DEPLOYMENT, "one", NOW)
    assert owners(d)["one"]["f:spec"]["f:paused"] == {}


keys = st.sampled_from("abcdef")
data = st.dictionaries(keys, st.sampled_from(["1", "2"]), max_size=4)


@given(data, data)
def test_applying_the_same_again_changes_nothing(mine: dict[str, str], theirs: dict[str, str]) -> None:
    c = do(do(None, config_map(theirs), "two"), config_map(mine), "one", force=True)
    assert do(c, config_map(mine), "one") is c
    assert mine.items() <= c["data"].items()


@given(data, data)
def test_managers_of_different_fields_never_conflict(mine: dict[str, str], theirs: dict[str, str]) -> None:
    theirs = {k: v for k, v in theirs.items() if k not in mine}
    c = do(do(None, config_map(theirs), "two"), config_map(mine), "one")
    assert c["data"] == mine | theirs


@given(data, data, data)
def test_what_one_drops_and_nobody_else_owns_is_gone(
    mine: dict[str, str], theirs: dict[str, str], then: dict[str, str]
) -> None:
    c = do(do(None, config_map(theirs), "two"), config_map(mine), "one", force=True)
    left = {k for k, v in theirs.items() if mine.get(k, v) == v}  # a field taken by force is its taker's alone
    c = do(c, config_map(then), "one", force=True)
    assert set(c.get("data") or {}) == left | set(then)


containers = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("abc")}, optional={"image": st.sampled_from("xy")}),
    unique_by=lambda c: c["name"],
)


@given(containers, containers)
def test_lists_hold_what_their_managers_want(mine: list[Any], theirs: list[Any]) -> None:
    d = apply(None, deployment(*theirs), DEPLOYMENT, "two", NOW)
    d = apply(d, deployment(*mine), DEPLOYMENT, "one", NOW, force=True)
    got = d["spec"]["template"]["spec"]["containers"]
    assert {c["name"] for c in got} == {c["name"] for c in (*mine, *theirs)}
    wanted = [c["name"] for c in mine]
    assert [c["name"] for c in got if c["name"] in wanted] == wanted
    d = apply(d, deployment(), DEPLOYMENT, "one", NOW)
    left = d["spec"].get("template", {}).get("spec", {}).get("containers", [])
    assert {c["name"] for c in left} == {c["name"] for c in theirs}
