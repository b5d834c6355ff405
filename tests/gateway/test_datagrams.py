"""What the kernel carries: rows of Services and of pods' host ports, as a table; which flows it has to forget."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.gateway import datagrams, flows, hairpin, hostports
from madang.gateway.desired import Datagram
from madang.gateway.flows import Flow
from madang.gateway.services import carry
from madang.ports.objects import Change, Entry, Key, Obj
from tests.gateway.objects import LOOPBACK, endpoint, service, settings, slices

TWO = replace(settings(), nodes=2)


def udp_slices(*endpoints: Obj, name: str = "dns") -> Obj:
    made = slices("web", *endpoints, port=5353, port_name=name)
    made["ports"][0]["protocol"] = "UDP"
    return made


def test_a_udp_port_beside_a_tcp_port_of_the_same_number() -> None:
    both = service(
        "web", {"name": "web", "port": 53}, {"name": "dns", "port": 53, "protocol": "UDP", "nodePort": 30053},
        type="NodePort",
    )  # fmt: skip
    ready, not_ready = endpoint("10.1.0.2"), endpoint("10.1.0.3", "web-2", ready=False)
    found = carry(both, [udp_slices(ready, not_ready), slices("web", ready, port_name="web")], TWO)
    to = (("10.1.0.2", 5353),)
    assert found.datagrams == (
        Datagram("10.2.0.5", 53, to), Datagram("10.1.0.1", 30053, to), Datagram("10.1.128.1", 30053, to)
    )  # fmt: skip
    assert [f.name for f in found.frontends] == ["default:web:53"] and not found.problems


def test_what_is_not_carried_is_said() -> None:
    port = {"name": "dns", "port": 53, "protocol": "UDP"}
    [published] = carry(service("web", port, type="LoadBalancer"), [], TWO).problems
    assert published.message.startswith("published port 53/UDP is not open at 127.0.0.1, but at the Service's address")
    loopback = carry(service("web", port), [udp_slices(endpoint("10.1.0.2"))], settings(LOOPBACK))
    assert "on the loopback network" in loopback.problems[0].message and not loopback.datagrams


def test_the_table_is_a_value() -> None:
    rows = [
        Datagram("10.2.0.5", 53, (("10.1.0.2", 53), ("10.1.0.3", 53))),
        Datagram("10.2.0.6", 53, (("10.1.0.2", 53), ("10.1.0.3", 53)), affinity=True),
        Datagram("10.2.0.7", 53, ()),
    ]
    text = datagrams.table("t", rows, TWO)
    assert text.startswith("add table ip t\ndelete table ip t\ntable ip t {\n")
    assert "chain to_10_1_0_2_53 { meta l4proto udp dnat to 10.1.0.2:53; }" in text
    vmap = "vmap { 0 : goto to_10_1_0_2_53, 1 : goto to_10_1_0_3_53 }"
    assert f"ip daddr 10.2.0.5 udp dport 53 numgen random mod 2 {vmap}" in text
    assert f"ip daddr 10.2.0.6 udp dport 53 jhash ip saddr mod 2 {vmap}" in text
    assert "10.2.0.7" not in text and text.count("masquerade") == 2
    assert datagrams.table("t", rows[2:], TWO) == "add table ip t\ndelete table ip t\n"


places = st.tuples(st.sampled_from(["10.2.0.5", "10.2.0.6"]), st.sampled_from([53, 54]))
instances = st.lists(st.tuples(st.sampled_from(["10.1.0.2", "10.1.0.3"]), st.just(53)), unique=True).map(tuple)
rows = st.lists(st.builds(lambda p, to: Datagram(*p, to), places, instances), unique_by=lambda r: (r.address, r.port))


@given(rows, rows, st.lists(st.builds(Flow, places, st.tuples(st.just("10.1.0.3"), st.just(53)), st.just(b""))))
def test_only_flows_to_nobody_of_ours_are_forgotten(now: Any, before: Any, found: list[Flow]) -> None:
    known = {(row.address, row.port): row.to for row in (*before, *now)} | {(r.address, r.port): r.to for r in now}
    ours = {(row.address, row.port) for row in now}
    for flow in found:
        gone = flow in flows.stale(found, now, before)
        if flow.place not in known:
            assert not gone
        elif flow.place in ours:
            assert gone == (flow.instance not in known[flow.place])
        else:
            assert gone, "nobody stands there any more"


def test_the_link_of_a_pod() -> None:
    assert hairpin.link_name(settings(), "10.1.0.18") == "mdabcv12"
    assert hairpin.link_name(settings(), "192.0.2.1") == ""


def pod(name: str = "p", node: str = "node-1", ip: str = "10.1.0.2", phase: str = "Running", **port: Any) -> Obj:
    container = {"name": "c", "ports": [{"containerPort": 80, "hostPort": 8080, "protocol": "TCP", **port}]}
    return {
        "metadata": {"name": name, "namespace": "default", "uid": name},
        "spec": {"nodeName": node, "containers": [container]},
        "status": {"podIP": ip, "phase": phase},
    }


def test_host_ports() -> None:
    found = hostports.carry([pod(node="node-2")], TWO)
    [frontend] = found.frontends
    assert [(b.host, b.near) for b in frontend.binds] == [("127.0.0.1", False), ("10.1.128.1", True)]
    assert {b.port for b in frontend.binds} == {8080}
    [backend] = found.backends
    assert backend.name == frontend.backend and [(s.address, s.port) for s in backend.servers] == [("10.1.0.2", 80)]
    one, other = pod("a", hostIP="127.0.0.1"), pod("b", hostIP="10.1.0.1")
    binds = [f.binds for f in hostports.carry([one, other], TWO).frontends]
    assert [(b.host, b.near) for (b,) in binds] == [("127.0.0.1", False), ("10.1.0.1", True)]
    udp = hostports.carry([pod("c", hostIP="10.1.0.1", protocol="UDP")], TWO)
    assert udp.datagrams == (Datagram("10.1.0.1", 8080, (("10.1.0.2", 80),)),) and not udp.problems
    told = hostports.carry([pod("d", protocol="UDP")], TWO)
    assert [p.message for p in told.problems] == ["host port 8080/UDP is not open at 127.0.0.1:8080"]


@pytest.mark.parametrize(
    ("changed", "counts"),
    [
        ({}, True), ({"phase": "Failed"}, False), ({"node": ""}, False), ({"ip": ""}, False), ({"hostPort": 0}, False),
        ({"ip": "10.1.0.2:1\n    server x"}, False), ({"ip": "there.example"}, False), ({"ip": "fd00::1"}, False),
    ],
)  # fmt: skip
def test_which_pods_count(changed: dict[str, Any], counts: bool) -> None:
    known = hostports.HostPods()
    known.learn([pod(**changed)])
    assert bool(known.pods) == counts


def test_a_pod_that_goes_is_heard_of_once() -> None:
    known, gone = hostports.HostPods(), entry(pod())
    assert known.hear(Change("ADDED", gone)) and not known.hear(Change("MODIFIED", gone))
    assert known.hear(Change("DELETED", gone)) and not known.pods


def entry(obj: Obj) -> Entry:
    class Made:
        key, revision, data = Key("pods", "default", obj["metadata"]["name"]), 1, b""

    Made.obj = obj  # type: ignore[attr-defined]
    return Made  # type: ignore[return-value]
