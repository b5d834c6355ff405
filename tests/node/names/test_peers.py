"""Peers by name where Services are reached by other numbers."""

import pytest

from madang.node.names.peers import places, reached
from madang.ports.objects import Obj

CART: Obj = {
    "metadata": {
        "name": "cart", "namespace": "shop",
        "annotations": {"madang.dev/ports": '{"8000/TCP": 23017}', "madang.dev/aliases": "basket"},
    },
    "spec": {"clusterIP": "127.9.8.5", "ports": [{"port": 8000}]},
}  # fmt: skip


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("http://cart:8000/x", "http://127.9.8.5:23017/x"),
        ("cart:8000,basket:8000", "127.9.8.5:23017,127.9.8.5:23017"),
        ("cart.shop.svc.cluster.local:8000", "127.9.8.5:23017"),
        ("redis://user:cart:8000@cart:8000/0", "redis://user:cart:8000@127.9.8.5:23017/0"),
        ("http://cart:80001", "http://cart:80001"),
        ("http://cart:8001", "http://cart:8001"),
        ("http://my-cart:8000", "http://my-cart:8000"),
        ("http://cart/", "http://cart/"),
        ("12:30", "12:30"),
    ],
)
def test_values(value: str, meant: str) -> None:
    assert reached(value, places([CART], "shop")) == meant


def test_short_names_are_the_own_namespaces() -> None:
    known = places([CART], "other")
    assert reached("http://cart:8000", known) == "http://cart:8000"
    assert reached("http://cart.shop:8000", known) == "http://127.9.8.5:23017"


def test_headless_services_have_no_other_place() -> None:
    ports = {"clusterIP": "None", "ports": [{"port": 1}]}
    headless: Obj = {"metadata": {"name": "db", "namespace": "shop"}, "spec": ports}
    assert places([headless], "shop") == {}


def test_another_name_of_a_service_is_reached_where_that_is() -> None:
    spec = {"type": "ExternalName", "externalName": "cart.shop.svc.cluster.local"}
    alias: Obj = {"metadata": {"name": "basket-of-others", "namespace": "other"}, "spec": spec}
    assert reached("http://basket-of-others:8000", places([CART, alias], "other")) == "http://127.9.8.5:23017"
