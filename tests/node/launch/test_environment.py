"""The environment of a container: order, expansion, references, service variables."""

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.node.launch.environment import (
    Missing,
    Place,
    environment,
    expand,
    field_value,
    resource_value,
    service_variables,
)
from madang.node.pod.spec import Role
from madang.ports.objects import Obj

PLACE = Place("10.0.0.7", "10.0.0.1", False, {"cpu": "2", "memory": "1Gi"})
POD: Obj = {
    "metadata": {"name": "p", "namespace": "shop", "uid": "u", "labels": {"app": "cart"}, "annotations": {"a": 'x"y'}},
    "spec": {"nodeName": "node-1", "serviceAccountName": "default", "containers": []},
}
OBJECTS = {
    ("configmaps", "words"): {"data": {"A": "1", "B": "2"}},
    ("secrets", "keys"): {"data": {"K": b64encode(b"s3cret").decode()}},
}


def lookup(kind: str, name: str) -> Obj | None:
    return OBJECTS.get((kind, name))


def of(place: Place = PLACE, services: Any = (), **container: Any) -> dict[str, str]:
    return environment(POD, Role("main", {"name": "c", **container}), lookup, services, place)


def test_env_wins_over_env_from_and_expands_what_came_before() -> None:
    found = of(
        envFrom=[{"configMapRef": {"name": "words"}, "prefix": "W_"}, {"secretRef": {"name": "keys"}}],
        env=[{"name": "W_A", "value": "mine"}, {"name": "URL", "value": "http://$(W_A):$(K)/$$(W_A)/$(NONE)"}],
    )
    assert found == {"W_A": "mine", "W_B": "2", "K": "s3cret", "URL": "http://mine:s3cret/$(W_A)/$(NONE)"}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"configMapKeyRef": {"name": "none", "key": "A"}}, 'configmap "none" not found'),
        ({"secretKeyRef": {"name": "none", "key": "A"}}, 'secret "none" not found'),
        ({"configMapKeyRef": {"name": "words", "key": "Z"}}, "couldn't find key Z in ConfigMap shop/words"),
        ({"secretKeyRef": {"name": "keys", "key": "Z"}}, "couldn't find key Z in Secret shop/keys"),
        ({"fieldRef": {"fieldPath": "spec.none"}}, "unsupported fieldPath: spec.none"),
    ],
)
def test_what_is_missing_is_named(entry: Obj, message: str) -> None:
    with pytest.raises(Missing, match=message):
        of(env=[{"name": "X", "valueFrom": entry}])


def test_optional_references_are_left_out() -> None:
    assert of(
        envFrom=[{"configMapRef": {"name": "none", "optional": True}}],
        env=[{"name": "X", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "Z", "optional": True}}}],
    ) == {}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "p"),
        ("metadata.labels['app']", "cart"),
        ("metadata.labels['none']", ""),
        ("metadata.labels", 'app="cart"'),
        ("metadata.annotations", 'a="x\\"y"'),
        ("status.podIP", "10.0.0.7"),
        ("status.hostIP", "10.0.0.1"),
        ("spec.nodeName", "node-1"),
    ],
)
def test_the_downward_api(path: str, value: str) -> None:
    assert field_value(POD, path, PLACE) == value


@pytest.mark.parametrize(
    ("resource", "divisor", "value"),
    [
        ("limits.cpu", "1m", "250"),
        ("limits.cpu", "1", "1"),
        ("requests.memory", "1Mi", "64"),
        ("limits.memory", "1Mi", "1024"),
        ("requests.cpu", "", "0"),
    ],
)
def test_resources_are_told_in_units_of_the_divisor_rounded_up(resource: str, divisor: str, value: str) -> None:
    resources = {"limits": {"cpu": "250m"}, "requests": {"memory": "64Mi"}}
    role = Role("main", {"name": "c", "resources": resources})
    pod = {**POD, "spec": {"containers": [role.spec]}}
    assert resource_value(pod, {"resource": resource, "divisor": divisor}, PLACE, role) == value


def service(name: str, ip: str, ports: list[Obj], **annotations: str) -> Obj:
    meta = {"name": name, "namespace": "shop", "annotations": annotations}
    return {"metadata": meta, "spec": {"clusterIP": ip, "ports": ports}}


def test_service_variables_have_both_forms() -> None:
    found = service_variables([service("my-cart", "10.1.0.5", [{"name": "http", "port": 80}])])
    assert found == {
        "MY_CART_SERVICE_HOST": "10.1.0.5",
        "MY_CART_SERVICE_PORT": "80",
        "MY_CART_SERVICE_PORT_HTTP": "80",
        "MY_CART_PORT": "tcp://10.1.0.5:80",
        "MY_CART_PORT_80_TCP": "tcp://10.1.0.5:80",
        "MY_CART_PORT_80_TCP_PROTO": "tcp",
        "MY_CART_PORT_80_TCP_PORT": "80",
        "MY_CART_PORT_80_TCP_ADDR": "10.1.0.5",
    }


def test_on_loopback_a_service_is_reached_by_its_own_port_and_a_program_learns_where_to_listen() -> None:
    place = Place("127.9.0.4", "127.9.0.1", True)
    cart = service("cart", "127.9.8.5", [{"port": 80}], **{"madang.dev/ports": '{"80/TCP": 23017}'})
    found = of(place, [cart], ports=[{"containerPort": 8080}])
    assert found["CART_SERVICE_PORT"] == "23017"
    assert found["CART_PORT_80_TCP"] == "tcp://127.9.8.5:23017"
    assert (found["HOST"], found["PORT"], found["POD_IP"]) == ("127.9.0.4", "8080", "127.9.0.4")
    assert of(place, env=[{"name": "PORT", "value": "1"}])["PORT"] == "1"


def test_on_loopback_values_that_name_a_peer_lead_to_where_it_is_reached() -> None:
    cart = service("cart", "127.9.8.5", [{"port": 80}], **{"madang.dev/ports": '{"80/TCP": 23017}'})
    role = Role("main", {"name": "c", "env": [{"name": "CART", "value": "http://cart:80"}]})
    here, elsewhere = Place("127.9.0.4", "127.9.0.1", True), PLACE
    found = environment(POD, role, lookup, [], here, [cart])
    assert found["CART"] == "http://127.9.8.5:23017"
    assert (found["CART_SERVICE_HOST"], found["CART_SERVICE_PORT"]) == ("127.9.8.5", "23017")
    assert "CART_PORT" not in found
    assert environment(POD, role, lookup, [], elsewhere, [cart])["CART"] == "http://cart:80"


def test_headless_services_have_no_variables() -> None:
    assert service_variables([service("db", "None", [{"port": 1}])]) == {}


@given(st.text())
def test_text_without_dollars_stays_as_it_is(text: str) -> None:
    plain = text.replace("$", "")
    assert expand(plain, {"A": "1"}) == plain


@given(st.text(alphabet="$()AB x"))
def test_doubled_dollars_are_never_expanded(text: str) -> None:
    assert expand(text.replace("$", "$$"), {"A": "1", "B": "2"}) == text
