"""Decoding a request's body: Go's form of an object, Go's words for what is wrong."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from madang.kinds import table
from madang.kinds.decode import Validation, decode, shape
from madang.ports.errors import BadRequest, Invalid, StatusError
from madang.ports.objects import Obj


def served(kind: str) -> table.Served:
    return table.stored(table.by_id(kind))


def made(kind: str, obj: Obj | str, validation: Validation = "Warn") -> Obj:
    body = obj if isinstance(obj, str) else json.dumps(obj)
    return decode(served(kind), body.encode(), validation).obj


def refusal(kind: str, obj: Any, validation: Validation = "Warn") -> str:
    with pytest.raises(BadRequest) as caught:
        made(kind, obj, validation)
    return caught.value.message


CM = 'ConfigMap in version "v1" cannot be handled as a ConfigMap: '


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"data": {"a": 1}}, "json: cannot unmarshal number into Go struct field ConfigMap.data of type string"),
        ({"metadata": {"name": {}}},
         "json: cannot unmarshal object into Go struct field ObjectMeta.metadata.name of type string"),
        ({"metadata": {"labels": []}},
         "json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels of type map[string]string"),
        ({"immutable": "yes"},
         "json: cannot unmarshal string into Go struct field ConfigMap.immutable of type bool"),
        ({"binaryData": {"a": "***"}}, "illegal base64 data at input byte 0"),
        ({"metadata": {"creationTimestamp": "soon"}},
         'parsing time "soon" as "2006-01-02T15:04:05Z07:00": cannot parse "soon" as "2006"'),
        ({"kind": "Secret"}, None),
    ],
)  # fmt: skip
def test_wrong_types_in_gos_words(body: Obj, message: str | None) -> None:
    if message is None:
        assert refusal("configmaps", body) == (
            'Secret in version "v1" cannot be handled as a ConfigMap: '
            "converting (v1.Secret) to (core.ConfigMap): unknown conversion"
        )
    else:
        assert refusal("configmaps", body) == CM + message


def test_the_first_wrong_type_is_told() -> None:
    body = {"spec": {"containers": [{"name": 1, "ports": [{"containerPort": 1.5}]}], "restartPolicy": []}}
    assert refusal("pods", body).endswith(
        "json: cannot unmarshal number into Go struct field Container.spec.containers.name of type string"
    )
    body = {"spec": {"containers": [{"ports": [{"containerPort": 1.5, "protocol": 3}]}]}}
    assert refusal("pods", body).endswith(
        "number 1.5 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32"
    )
    assert refusal("pods", {"spec": {"dnsPolicy": 1}}).endswith("PodSpec.spec.dnsPolicy of type v1.DNSPolicy")
    assert refusal("pods", {"spec": {"containers": {}}}).endswith("PodSpec.spec.containers of type []v1.Container")


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("", "unexpected end of JSON input (<empty>)"),
        ("{", "unexpected end of JSON input ({)"),
        ('{"a":1,}', "invalid character '}' looking for beginning of object key string ({\"a\":1,})"),
        ('{"a" 1}', "invalid character '1' after object key ({\"a\" 1})"),
        ('{"a":[1 2]}', "invalid character '2' after array element ({\"a\":[1 2]})"),
        ('{"a":1 "b":2}', 'invalid character \'"\' after object key:value pair ({"a":1 "b":2})'),
        ("{} x", "invalid character 'x' after top-level value ({} x)"),
        ("nope", "invalid character 'n' looking for beginning of value (6e6f7065)"),
    ],
)
def test_broken_json(body: str, fault: str) -> None:
    assert refusal("configmaps", body) == (
        f"the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; "
        f"json parse error: {fault}"
    )


def test_versions() -> None:
    assert refusal("configmaps", {"apiVersion": "v9"}) == (
        'ConfigMap in version "v9" cannot be handled as a ConfigMap: no kind "ConfigMap" is registered for version '
        '"v9" in scheme "pkg/api/legacyscheme/scheme.go:30"'
    )
    assert refusal("horizontalpodautoscalers.autoscaling", {
        "apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler"}) == (
        "the API version in the data (autoscaling/v1) does not match the expected API version (autoscaling/v2)"
    )  # fmt: skip
    assert made("configmaps", {"metadata": {"name": "a"}}) == {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"},
    }  # fmt: skip


def test_unknown_fields() -> None:
    body = {"metadata": {"name": "o", "zip": True}, "nope": 1}
    found = decode(served("configmaps"), json.dumps(body).encode())
    assert found.warnings == ('unknown field "metadata.zip"', 'unknown field "nope"')
    assert "zip" not in found.obj["metadata"] and "nope" not in found.obj
    assert refusal("configmaps", body, "Strict") == (
        CM + 'strict decoding error: unknown field "metadata.zip", unknown field "nope"'
    )
    assert decode(served("configmaps"), json.dumps(body).encode(), "Ignore").warnings == ()


def test_duplicate_fields() -> None:
    body = '{"metadata":{"name":"o"},"data":{"a":"1","a":"2"}}'
    found = decode(served("configmaps"), body.encode())
    assert found.warnings == ('duplicate field "data.a"',) and found.obj["data"] == {"a": "2"}
    spaced = '{"metadata" :{"name" : "o","name":"p"}, "data":{"x":"\\":"}}'
    assert decode(served("configmaps"), spaced.encode()).warnings == ('duplicate field "metadata.name"',)
    assert decode(served("configmaps"), b'{"data":{"x":"\\":\\":"}}').warnings == ()
    assert refusal("configmaps", body, "Strict") == CM + 'strict decoding error: duplicate field "data.a"'


def test_empty_is_dropped_unless_it_was_given_or_is_always_written() -> None:
    pod = made("pods", {
        "metadata": {"labels": {}, "annotations": None, "name": "p"},
        "spec": {"containers": [{"name": "c", "args": [], "securityContext": {}, "stdin": False}], "volumes": [
            {"name": "v", "emptyDir": {}}], "hostNetwork": False, "enableServiceLinks": False, "nodeName": ""},
    })  # fmt: skip
    assert pod["metadata"] == {"name": "p"}
    assert pod["spec"] == {
        "containers": [{"name": "c", "securityContext": {}, "resources": {}}],
        "volumes": [{"name": "v", "emptyDir": {}}], "enableServiceLinks": False,
    }  # fmt: skip
    assert pod["status"] == {}
    assert made("endpointslices.discovery.k8s.io", {"addressType": "IPv4"})["endpoints"] is None
    assert made("events", {})["firstTimestamp"] is None and made("events", {})["source"] == {}


def test_values_become_canonical() -> None:
    spec = {"containers": [{"name": "c", "resources": {"requests": {"cpu": 0.5, "memory": "1024Mi"}}}]}
    assert made("pods", {"spec": spec})["spec"]["containers"][0]["resources"]["requests"] == {
        "cpu": "500m", "memory": "1Gi",
    }  # fmt: skip
    lease = made("leases.coordination.k8s.io", {"spec": {"renewTime": "2026-01-01T01:00:00+01:00"}})
    assert lease["spec"]["renewTime"] == "2026-01-01T00:00:00.000000Z"
    assert made("secrets", {"data": {"a": "YQ==\n"}})["data"] == {"a": "YQ=="}


def test_custom_resources_keep_what_is_empty_and_refuse_wrong_types() -> None:
    kind = "httproutes.gateway.networking.k8s.io"
    assert made(kind, {"metadata": {"name": "r"}, "spec": {"hostnames": []}})["spec"]["hostnames"] == []
    with pytest.raises(Invalid) as caught:
        made(kind, {"metadata": {"name": "r"}, "spec": {"rules": [{"matches": "all"}]}})
    assert caught.value.message == (
        'HTTPRoute.gateway.networking.k8s.io "r" is invalid: [spec.rules[0].matches: Invalid value: "string": '
        'spec.rules[0].matches in body must be of type array: "string", <nil>: Invalid value: null: some validation '
        "rules were not checked because the object was invalid; correct the existing errors to complete validation]"
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(("metadata", "spec", "name", "labels", "containers", "ports", "template", "data", "x")),
        inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(table.SERVED), st.dictionaries(st.sampled_from(("metadata", "spec", "status", "data")), JSON))
def test_anything_is_an_object_or_a_refusal_and_decoding_twice_changes_nothing(kind: table.Served, raw: Obj) -> None:
    try:
        once = decode(kind, json.dumps(raw).encode())
    except StatusError:
        return
    again = decode(kind, json.dumps(once.obj).encode())
    assert again.obj == once.obj and again.warnings == ()


@pytest.mark.parametrize("part", ["spec", "status"])
def test_a_part_that_is_known_is_taken_as_it_is(part: str) -> None:
    """The object comes out as if all of it had been walked, in the same order."""
    spec = {"replicas": 2, "selector": {}, "template": {"metadata": {}, "spec": {"containers": None}}}
    first = made("deployments.apps", {"metadata": {"name": "d"}, "spec": spec, "status": {"replicas": 2}})
    changed = {**first, "metadata": {"name": "d", "labels": {"a": "b"}, "odd": 1}}
    whole = shape(served("deployments.apps"), changed)
    short = shape(served("deployments.apps"), changed, known={part: first[part]})
    assert json.dumps(short.obj) == json.dumps(whole.obj) and short.warnings == whole.warnings
    assert short.obj[part] is first[part]
    other = shape(served("deployments.apps"), changed, known={part: dict(first[part])})
    assert other.obj[part] is not first[part] and json.dumps(other.obj) == json.dumps(whole.obj)


def test_known_metadata_is_a_copy_of_its_own() -> None:
    """A write puts its revision and its owners of fields into it; what is stored must not see that."""
    first = made("configmaps", {"metadata": {"name": "c", "labels": {"a": "b"}}, "data": {"x": "1"}})
    whole = shape(served("configmaps"), {**first, "data": {"x": "2"}})
    short = shape(served("configmaps"), {**first, "data": {"x": "2"}}, known={"metadata": first["metadata"]})
    assert json.dumps(short.obj) == json.dumps(whole.obj)
    assert short.obj["metadata"] == first["metadata"] and short.obj["metadata"] is not first["metadata"]
