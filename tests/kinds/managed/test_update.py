import json
from typing import Any

from madang.kinds.managed import equal_but_times, on_create, on_update
from madang.kinds.managed.entries import ANCIENT
from madang.kinds.schema import node

CONFIG_MAP, POD, DEPLOYMENT = node("", "v1", "ConfigMap"), node("", "v1", "Pod"), node("apps", "v1", "Deployment")
NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:00:09Z"


def config_map(data: dict[str, str], managed: Any = None) -> dict[str, Any]:
    meta = {"name": "c", "namespace": "n", "uid": "u", "labels": {"l": "1"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta | ({"managedFields": managed} if managed else {}),
            "data": data}  # fmt: skip


def test_who_makes_an_object_owns_what_it_says() -> None:
    assert on_create(config_map({"a": "1"}), CONFIG_MAP, "one", NOW) == [
        {
            "manager": "one",
            "operation": "Update",
            "apiVersion": "v1",
            "time": NOW,
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:metadata": {"f:labels": {".": {}, "f:l": {}}}, "f:data": {".": {}, "f:a": {}}},
        }
    ]
    assert on_create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}, CONFIG_MAP, "x", NOW) == []


def test_places_that_an_empty_object_has_are_nobodys() -> None:
    port = {"containerPort": 80, "protocol": "TCP"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "status": {"phase": "Pending"},
           "spec": {"containers": [{"name": "c", "resources": {}, "ports": [port], "command": ["x"]}],
                    "securityContext": {}}}  # fmt: skip
    [entry] = on_create(pod, POD, "one", NOW)
    assert entry["fieldsV1"] == {
        "f:spec": {
            "f:containers": {
                'k:{"name":"c"}': {
                    ".": {},
                    "f:name": {},
                    "f:resources": {},
                    "f:command": {},
                    "f:ports": {
                        ".": {},
                        'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}, "f:protocol": {}},
                    },
                }
            },
            "f:securityContext": {},
        }
    }


def test_who_changes_a_field_takes_it() -> None:
    old = config_map({"a": "1", "b": "1", "c": "1"})
    old["metadata"]["managedFields"] = on_create(old, CONFIG_MAP, "one", NOW)
    new = config_map({"a": "2", "b": "1", "d": "1"})
    one, two = on_update(old, new, CONFIG_MAP, "two", LATER)
    assert (one["manager"], one["time"], one["fieldsV1"]["f:data"]) == ("one", NOW, {".": {}, "f:b": {}})
    assert (two["manager"], two["time"], two["fieldsV1"]) == ("two", LATER, {"f:data": {"f:a": {}, "f:d": {}}})


def test_nothing_changed_nothing_said() -> None:
    old = config_map({"a": "1"})
    old["metadata"]["managedFields"] = on_create(old, CONFIG_MAP, "one", NOW)
    assert on_update(old, json.loads(json.dumps(old)), CONFIG_MAP, "two", LATER) == old["metadata"]["managedFields"]


def test_the_same_manager_keeps_one_entry() -> None:
    old = config_map({"a": "1"})
    old["metadata"]["managedFields"] = on_create(old, CONFIG_MAP, "one", NOW)
    [entry] = on_update(old, config_map({"a": "1", "b": "2"}), CONFIG_MAP, "one", LATER)
    assert entry["time"] == LATER
    assert entry["fieldsV1"]["f:data"] == {".": {}, "f:a": {}, "f:b": {}}


def test_the_client_may_forget_all_owners() -> None:
    old = config_map({"a": "1"})
    old["metadata"]["managedFields"] = on_create(old, CONFIG_MAP, "one", NOW)
    assert on_update(old, config_map({"a": "1"}, [{}]), CONFIG_MAP, "two", LATER) == []


def test_a_write_of_the_status_owns_no_spec() -> None:
    old: dict[str, Any] = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
                           "spec": {"replicas": 1}}  # fmt: skip
    condition = {"type": "Available", "status": "True"}
    new = {**old, "spec": {"replicas": 9}, "status": {"conditions": [condition]}}
    [entry] = on_update(old, new, DEPLOYMENT, "ctl", NOW, subresource="status")
    assert entry["subresource"] == "status"
    assert entry["fieldsV1"] == {
        "f:status": {"f:conditions": {".": {}, 'k:{"type":"Available"}': {".": {}, "f:type": {}, "f:status": {}}}}
    }
    [entry] = on_update(old, new, DEPLOYMENT, "user", NOW)
    assert entry["fieldsV1"] == {"f:spec": {"f:replicas": {}}}
    [entry] = on_update(old, new, DEPLOYMENT, "scaler", NOW, subresource="scale")
    assert entry["subresource"] == "scale"


def test_the_eldest_of_many_managers_become_one() -> None:
    obj = config_map({})
    for i in range(14):
        new = config_map({**obj["data"], f"k{i}": "1"})
        fields = on_update(obj, new, CONFIG_MAP, f"m{i:02}", f"2026-01-01T00:00:{i:02}Z")
        obj = {**new, "metadata": {**new["metadata"], "managedFields": fields}}
    names = [e["manager"] for e in obj["metadata"]["managedFields"]]
    assert len(names) == 10 and ANCIENT in names
    owned = {k for e in obj["metadata"]["managedFields"] for k in e["fieldsV1"]["f:data"] if k != "."}
    assert owned == {f"f:k{i}" for i in range(14)}


def test_a_write_that_only_moves_times_is_none() -> None:
    one, later = config_map({"a": "1"}), config_map({"a": "1"})
    one["metadata"]["managedFields"] = on_create(one, CONFIG_MAP, "x", NOW)
    later["metadata"]["managedFields"] = on_create(later, CONFIG_MAP, "x", LATER)
    assert one != later and equal_but_times(later, one)
    later["metadata"]["managedFields"] = on_create(later, CONFIG_MAP, "y", LATER)
    assert not equal_but_times(later, one)
    assert not equal_but_times(config_map({"a": "2"}), one)
