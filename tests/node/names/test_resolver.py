"""A pod's resolv.conf by policy and wishes."""

from typing import Any

import pytest

from madang.node.names.resolver import Resolver, read, resolver, wanted

MACHINE = "# of this machine\nnameserver 192.0.2.1\nsearch home.example\noptions edns0 ndots:2\n"
OURS = (
    "nameserver 10.0.0.1\nsearch shop.svc.cluster.local svc.cluster.local cluster.local home.example\noptions ndots:5\n"
)
THEIRS = "nameserver 192.0.2.1\nsearch home.example\noptions edns0 ndots:2\n"


def pod(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "shop"}, "spec": spec}


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({}, OURS),
        ({"dnsPolicy": "ClusterFirst"}, OURS),
        ({"dnsPolicy": "ClusterFirst", "hostNetwork": True}, THEIRS),
        ({"dnsPolicy": "ClusterFirstWithHostNet", "hostNetwork": True}, OURS),
        ({"dnsPolicy": "Default"}, THEIRS),
        ({"dnsPolicy": "None"}, ""),
    ],
)
def test_policies(spec: dict[str, Any], text: str) -> None:
    assert resolver(pod(**spec), "10.0.0.1", MACHINE) == text


def test_without_a_server_the_machines_own_are_asked() -> None:
    assert resolver(pod(), "", MACHINE) == THEIRS


def test_wishes_are_added_and_options_replaced() -> None:
    config = {
        "nameservers": ["10.0.0.1", "192.0.2.7"],
        "searches": ["a.example"],
        "options": [{"name": "ndots", "value": "1"}, {"name": "rotate"}],
    }
    found = read(resolver(pod(dnsConfig=config), "10.0.0.1", MACHINE))
    assert found.servers == ("10.0.0.1", "192.0.2.7")
    assert found.search[-2:] == ("home.example", "a.example")
    assert found.options == ("ndots:1", "rotate")


def test_no_more_than_resolvers_take() -> None:
    config = {
        "nameservers": [f"192.0.2.{n}" for n in range(5)],
        "searches": [f"{'x' * 60}{n}.example" for n in range(40)],
    }
    found = read(resolver(pod(dnsConfig=config), "10.0.0.1", MACHINE))
    assert found.servers == ("10.0.0.1", "192.0.2.0", "192.0.2.1")
    assert len(found.search) <= 32 and len(" ".join(found.search)) <= 2048


def test_a_file_of_its_own_only_where_it_differs() -> None:
    assert wanted(pod(), "10.0.0.1") and not wanted(pod(), "")
    assert not wanted(pod(dnsPolicy="Default"), "10.0.0.1")
    assert not wanted(pod(hostNetwork=True), "10.0.0.1")
    assert wanted(pod(dnsPolicy="None"), "") and wanted(pod(dnsConfig={"searches": ["x"]}), "")


def test_the_last_search_line_holds() -> None:
    assert read("domain a\nsearch b. c\n") == Resolver(search=("b", "c"))
