"""Who is led where by traffic policies: by the caller's node inside, by the node that was asked outside."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.gateway import datagrams
from madang.gateway.configuration import files
from madang.gateway.desired import Datagram, Desired
from madang.gateway.services import Carried, carry
from madang.gateway.tuning import Tuning
from madang.ports.objects import Obj
from tests.gateway.objects import LOOPBACK, endpoint, service, settings, slices
from tests.gateway.test_routes import check

TWO = replace(settings(), nodes=2)
ON_TWO = {**endpoint("10.1.128.2", "web-2"), "nodeName": "node-2"}


def made(settings_: Any = TWO, **spec: Any) -> Carried:
    given_ = service("web", {"port": 80, "nodePort": 30080}, type="NodePort", **spec)
    return carry(given_, [slices("web", ON_TWO)], settings_)


def servers(found: Carried) -> dict[str, int]:
    return {backend.name: len(backend.servers) for backend in found.backends if not backend.name.endswith(":tcp")}


def test_local_inside() -> None:
    found = made(internalTrafficPolicy="Local")
    inside, outside = found.frontends
    assert [b.host for b in inside.binds] == ["10.2.0.5"] and inside.near == (
        ("10.1.0.0/17", "default:web:80:node-1"),
        ("10.1.128.0/24", "default:web:80:node-2"),
        ("10.2.0.0/16", "default:web:80:node-1"),
    )
    assert [b.host for b in outside.binds] == ["10.1.0.1", "10.1.128.1"] and outside.backend == "default:web:80"
    assert servers(found) == {"default:web:80": 1, "default:web:80:node-1": 0, "default:web:80:node-2": 1}


def test_local_outside() -> None:
    found = made(externalTrafficPolicy="Local")
    assert {f.backend: [b.host for b in f.binds] for f in found.frontends} == {
        "default:web:80": ["10.2.0.5"],
        "default:web:80:node-1": ["10.1.0.1"],
        "default:web:80:node-2": ["10.1.128.1"],
    }


@pytest.mark.parametrize("where", [settings(), replace(settings(LOOPBACK), nodes=2)])
def test_where_all_is_one_network_both_say_the_same(where: Any) -> None:
    annotations = {"madang.dev/ports": '{"80/TCP": 23017}'}
    local = {"internalTrafficPolicy": "Local", "externalTrafficPolicy": "Local", "annotations": annotations}
    assert made(where, **local) == made(where, annotations=annotations)


@given(st.sampled_from(["Local", "Cluster"]), st.sampled_from(["Local", "Cluster"]), st.booleans())
def test_no_address_is_lost_or_led_twice(inside: str, outside: str, published: bool) -> None:
    kind = {"type": "LoadBalancer"} if published else {}
    spec = {"internalTrafficPolicy": inside, "externalTrafficPolicy": outside, **kind}
    given_ = service("web", {"port": 80, "nodePort": 30080}, **{"type": "NodePort", **spec})
    found = carry(given_, [slices("web", ON_TWO)], TWO)
    binds = [bind.name for frontend in found.frontends for bind in frontend.binds]
    assert len(binds) == len(set(binds)) == 3 + published
    known = {backend.name for backend in found.backends}
    assert all({f.backend, *dict(f.near).values()} <= known for f in found.frontends)


def test_haproxy_takes_it(tmp_path: Path) -> None:
    spec: Obj = {"internalTrafficPolicy": "Local", "externalTrafficPolicy": "Local", "sessionAffinity": "ClientIP"}
    spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": 7}}
    plain = [made(**spec, annotations={"madang.dev/protocol": p}) for p in ("", "tcp")]
    for found in plain:
        wanted = Desired(found.frontends, (), found.backends)
        text = files(wanted, (), Tuning())["haproxy.cfg"]
        assert "expire 7s" in text and "{ src 10.1.128.0/24 }" in text
        with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
            assert check(wanted, Path(folder)) == ""


def test_datagrams_follow_the_same_policies() -> None:
    port: Obj = {"port": 53, "protocol": "UDP", "nodePort": 30053}
    piece = slices("web", ON_TWO, port=5353)
    piece["ports"][0]["protocol"] = "UDP"
    local = {"internalTrafficPolicy": "Local", "externalTrafficPolicy": "Local"}
    found = carry(service("web", port, type="NodePort", **local), [piece], TWO).datagrams
    to = (("10.1.128.2", 5353),)
    assert found == (
        Datagram("10.2.0.5", 53, (), source="10.1.0.0/17"),
        Datagram("10.2.0.5", 53, to, source="10.1.128.0/24"),
        Datagram("10.2.0.5", 53, (), source="10.2.0.0/16"),
        Datagram("10.1.0.1", 30053, ()),
        Datagram("10.1.128.1", 30053, to),
    )
    text = datagrams.table("t", found, TWO)
    assert "ip saddr 10.1.0.0/17 ip daddr 10.2.0.5 udp dport 53 return" in text
    assert "ip saddr 10.1.128.0/24 ip daddr 10.2.0.5 udp dport 53 goto to_10_1_128_2_5353" in text
