"""What objects ask of the gateway, and how HAProxy is told so."""

import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from madang.gateway import configuration
from madang.gateway.conditions import statuses
from madang.gateway.desired import Desired, Server
from madang.gateway.routes import Plan, routes
from madang.gateway.tuning import Tuning
from madang.haproxy import binary
from madang.ports.objects import Obj
from tests.gateway.objects import (
    LOOPBACK,
    FakeView,
    endpoint,
    gateway,
    gateway_class,
    path,
    route,
    rule,
    service,
    settings,
    slices,
)


def plan(**objects: Any) -> Plan:
    base = {"classes": [gateway_class()], "gateways": [gateway()], "services": [service("web", 80)]}
    return routes(FakeView(**{**base, **objects}), settings())


def table(made: Plan) -> dict[str, str]:
    return dict(made.desired.doors[0].table)


def accepted(made: Plan) -> list[tuple[bool, str, str]]:
    return [(a.accepted, a.reason, a.message) for a in made.attachments]


def check(desired: Desired, folder: Path) -> str:
    """HAProxy's own opinion of the configuration: empty when it has nothing against it."""
    try:
        program = binary.find()
    except binary.NoHAProxy as error:
        pytest.skip(str(error))
    for name, text in configuration.files(desired, (), Tuning()).items():
        (folder / name).write_text(text)
    sockets = {bind.name: socket.create_server(("127.0.0.1", 0)) for bind in desired.binds()}
    admin = socket.socket(socket.AF_UNIX)
    admin.bind(str(folder / "admin.sock"))
    admin.listen()
    numbers = {configuration.ADMIN: admin.fileno(), **{n: s.fileno() for n, s in sockets.items()}}
    env = {**os.environ, **{n: str(fd) for n, fd in numbers.items()}}
    arguments = [program, "-c", "-V", "-f", str(folder / configuration.MAIN)]
    fds = list(numbers.values())
    done = subprocess.run(arguments, env=env, pass_fds=fds, capture_output=True, text=True, check=False)
    for one in (admin, *sockets.values()):
        one.close()
    said = [line for line in (done.stdout + done.stderr).splitlines() if "ALERT" in line or "WARNING" in line]
    return "\n".join(said) if done.returncode == 0 else done.stdout + done.stderr


def test_a_service_is_reached_at_its_address_and_published() -> None:
    web = service("web", {"port": 80, "nodePort": 30080}, type="LoadBalancer")
    made = plan(services=[web], slices=[slices("web", endpoint("10.1.0.7"))]).desired
    (frontend,) = made.frontends
    assert [(b.host, b.port) for b in frontend.binds] == [("10.2.0.5", 80), ("127.0.0.1", 80), ("10.1.0.1", 30080)]
    assert frontend.mode == "sniff"
    assert [b.name for b in made.backends] == ["default:web:80", "default:web:80:tcp"]
    assert made.backends[0].servers == (Server("web-1:10.1.0.7:8000", "10.1.0.7", 8000),)


def test_on_loopback_each_port_has_a_number_of_its_own() -> None:
    web = service("web", 80, 81, clusterIP="127.9.128.1", annotations={"madang.dev/ports": '{"80/TCP": 23017}'})
    made = routes(FakeView(services=[web]), settings(LOOPBACK)).desired
    assert [(b.host, b.port) for f in made.frontends for b in f.binds] == [("127.9.128.1", 23017)]
    assert [p.reason for p in made.problems] == ["PortNotAllocated"]


@pytest.mark.parametrize(
    ("port", "annotations", "expected"),
    [
        ({"port": 80}, {}, "sniff"),
        ({"port": 80, "name": "http-web"}, {}, "http"),
        ({"port": 80, "name": "https"}, {}, "tcp"),
        ({"port": 5432}, {}, "tcp"),
        ({"port": 5432}, {"madang.dev/protocol": "http"}, "http"),
        ({"port": 80, "appProtocol": "kubernetes.io/h2c", "name": "http"}, {}, "tcp"),
        ({"port": 80, "appProtocol": "http"}, {"madang.dev/protocol": "tcp"}, "tcp"),
    ],
)
def test_how_a_port_is_carried(port: dict, annotations: dict, expected: str) -> None:
    assert plan(services=[service("web", port, annotations=annotations)]).desired.frontends[0].mode == expected


def test_headless_external_and_sctp_services_are_not_carried() -> None:
    made = plan(
        services=[
            service("a", 80, clusterIP="None"),
            service("b", 80, type="ExternalName", externalName="b.other.svc"),
            service("c", {"port": 53, "protocol": "SCTP"}),
            service("d", 80, type="ExternalName", externalName="d.example.org"),
        ]
    ).desired
    assert not made.frontends
    assert [(p.owner.name, p.reason) for p in made.problems] == [
        ("c", "ProtocolNotSupported"),
        ("d", "NameNotFollowed"),
    ]
    assert "give the programs d.example.org itself" in made.problems[1].message


def test_terminating_instances_drain_and_serve_where_nobody_else_does() -> None:
    leaving = endpoint("10.1.0.8", "web-2", ready=False, serving=True, terminating=True)
    starting = endpoint("10.1.0.9", "web-3", ready=False)
    both = plan(slices=[slices("web", endpoint("10.1.0.7"), leaving, starting)]).desired.backends[0].servers
    assert [(s.name.split(":")[0], s.state) for s in both] == [("web-1", "ready"), ("web-2", "drain")]
    alone = plan(slices=[slices("web", leaving, starting)]).desired.backends[0].servers
    assert [(s.name.split(":")[0], s.state) for s in alone] == [("web-2", "ready")]


def test_one_address_wanted_twice_stays_with_the_first() -> None:
    two = [service(n, 8000, clusterIP=f"10.2.0.{i}", type="LoadBalancer") for i, n in enumerate("ab")]
    made = plan(services=two).desired
    assert [[b.host for b in f.binds] for f in made.frontends] == [["10.2.0.0", "127.0.0.1"], ["10.2.0.1"]]
    (problem,) = made.problems
    assert (problem.owner.name, problem.reason) == ("b", "PortTaken")
    assert problem.message == "published port 8000: 127.0.0.1:8000 belongs to a already (published port 8000)"


def test_a_port_that_serves_is_not_taken_by_a_newcomer() -> None:
    older = service("web", 8000, clusterIP="10.2.0.1", type="LoadBalancer", namespace="shop")
    newer = service("web", 8000, clusterIP="10.2.0.2", type="LoadBalancer", namespace="another")
    older["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    newer["metadata"]["creationTimestamp"] = "2026-01-02T00:00:00Z"
    made = plan(services=[newer, older]).desired
    assert [b.owner.namespace for f in made.frontends for b in f.binds if b.host == "127.0.0.1"] == ["shop"]
    (problem,) = made.problems
    assert problem.owner.namespace == "another"
    assert problem.message == "published port 8000: 127.0.0.1:8000 belongs to shop/web already (published port 8000)"


def published(made: Desired) -> dict[int, str]:
    return {b.port: b.owner.namespace for f in made.frontends for b in f.binds if b.what.startswith("published")}


def two(**of_older: Any) -> list[Obj]:
    """An older Service that has come to want what a newer one holds."""
    older = service("web", 8000, 9000, clusterIP="10.2.0.1", type="LoadBalancer", namespace="shop")
    newer = service("web", 8000, clusterIP="10.2.0.2", type="LoadBalancer", namespace="another")
    older["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    newer["metadata"]["creationTimestamp"] = "2026-01-02T00:00:00Z"
    newer["status"] = {"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}}
    older["status"] = of_older
    return [older, newer]


def test_an_older_service_that_is_edited_takes_no_port_that_serves() -> None:
    older, newer = two()
    before = routes(FakeView(services=[newer]), settings()).desired
    assert published(routes(FakeView(services=[older, newer]), settings(), held=before).desired) == {
        8000: "another",
        9000: "shop",
    }


def test_after_a_restart_the_statuses_tell_who_serves() -> None:
    lost = [{"port": 8000, "protocol": "TCP", "error": "madang.dev/PortNotOpened"}, {"port": 9000, "protocol": "TCP"}]
    for status in ({}, {"loadBalancer": {"ingress": [{"ip": "127.0.0.1", "ports": lost}]}}):
        made = routes(FakeView(services=two(**status)), settings())
        assert published(made.desired) == {8000: "another", 9000: "shop"}


def test_the_status_names_the_port_that_another_has() -> None:
    older, newer = two()
    made = routes(FakeView(services=[older, newer]), settings())
    (patch,) = [p for p in statuses(made, {}, settings(), 0.0) if p.namespace == "shop"]
    (ingress,) = patch.patch["status"]["loadBalancer"]["ingress"]
    assert [(p["port"], "error" in p) for p in ingress["ports"]] == [(8000, True), (9000, False)]


def test_what_nobody_does_here_is_told_by_an_event() -> None:
    asks = service("web", 80, externalIPs=["10.9.9.9"], internalTrafficPolicy="Cluster")
    door = gateway()
    door["spec"]["infrastructure"] = {"labels": {"a": "b"}}
    said = plan(services=[asks], gateways=[door]).desired.problems
    assert [(p.owner.name, p.reason, p.message) for p in said] == [
        ("web", "FieldsIgnored", "not honoured by the gateway: spec.externalIPs"),
        (door["metadata"]["name"], "FieldsIgnored", "not honoured by the gateway: spec.infrastructure"),
    ]


def test_a_route_is_a_row() -> None:
    made = plan(routes=[route("r", rule(("web", 80), matches=[path("/shop"), path("/x", "Exact")]), hosts=["a.test"])])
    assert table(made) == {"a.test/shop/": "default:web:80", "a.test/x/#": "default:web:80"}
    assert accepted(made) == [(True, "Accepted", "Route is accepted")]


def test_broken_references_answer_500_and_say_why() -> None:
    bad = rule(("gone", 80), {"name": "web", "port": 81}, {"name": "web", "namespace": "other", "port": 80})
    made = plan(routes=[route("r", bad)])
    (attachment,) = made.attachments
    assert [u.reason for u in attachment.unresolved] == ["BackendNotFound", "BackendNotFound", "RefNotPermitted"]
    assert attachment.unresolved[1].message == (
        "spec.rules[0].backendRefs[1]: Service default/web has no port 81 (it has: 80)"
    )
    (choice,) = made.desired.doors[0].cells[0].choices
    assert choice.shares == (("answer:500", 1),) * 3


@pytest.mark.parametrize(
    ("changed", "reason", "message"),
    [
        ({"parentRefs": [{"name": "madang", "namespace": "kube-system", "sectionName": "no"}]}, "NoMatchingParent", ""),
        ({"hosts": ["b.test"]}, "NoMatchingListenerHostname", ""),
        (
            {"rules": [rule(("web", 80), matches=[path("(a+)+", "RegularExpression")])]},
            "UnsupportedValue",
            "spec.rules[0].matches[0].path.value: '(a+)+' can take unbounded time",
        ),
        (
            {"rules": [rule(("web", 80), filters=[{"type": "RequestMirror", "requestMirror": {}}])]},
            "UnsupportedValue",
            "spec.rules[0].filters[0].type: the filter 'RequestMirror' is not carried here",
        ),
    ],
)
def test_a_route_that_cannot_be_honoured_says_why(changed: dict, reason: str, message: str) -> None:
    rules = changed.pop("rules", [rule(("web", 80))])
    one = {"hostname": "a.test", "allowedRoutes": {"namespaces": {"from": "All"}}}
    made = plan(gateways=[gateway("madang", one)], routes=[route("r", *rules, **changed)])
    ((fine, why, said),) = accepted(made)
    assert (fine, why) == (False, reason)
    assert said.startswith(message)
    assert not table(made)


def test_listeners_refuse_what_they_cannot_carry() -> None:
    everyone = {"allowedRoutes": {"namespaces": {"from": "All"}}}
    one = gateway("madang", {"protocol": "HTTPS", "port": 8443}, {**everyone}, {**everyone})
    made = plan(gateways=[one], routes=[route("r", rule(("web", 80)), namespace="default")])
    faults = [li.fault[:2] if li.fault else None for li in made.listeners]
    assert faults == [("Accepted", "UnsupportedProtocol"), None, ("Conflicted", "HostnameConflict")]
    closed = plan(gateways=[gateway("madang", {"name": "x"})], routes=[route("r", rule(("web", 80)))])
    assert accepted(closed)[0][1] == "NotAllowedByListeners"


def test_somebody_elses_gateway_is_left_alone() -> None:
    made = plan(classes=[gateway_class(controller="example.com/x")], routes=[route("r", rule(("web", 80)))])
    assert not made.listeners
    assert not made.attachments


def everything() -> Plan:
    change = {"set": [{"name": "x-a", "value": "100% 'quoted' \"so\" ${HOME} \\"}], "remove": ["x-b"]}
    rewrite = {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}, "hostname": "inner"}
    redirect = {"scheme": "https", "hostname": "a.test", "statusCode": 301}
    headers = [{"name": "X-Kind", "value": "-i it's"}, {"name": "X-N", "type": "RegularExpression", "value": "[0-9]+"}]
    rules = [
        rule(("web", 80), ("api", 90), matches=[path("/weighted")]),
        rule(("web", 80), matches=[path("/h", method="GET", headers=headers), path("/q", queryParams=headers)]),
        rule(("web", 80), matches=[path("/v[0-9]+/.*", "RegularExpression")]),
        rule(
            ("api", 90),
            matches=[path("/dressed")],
            filters=[
                {"type": "RequestHeaderModifier", "requestHeaderModifier": change},
                {"type": "ResponseHeaderModifier", "responseHeaderModifier": change},
                {"type": "URLRewrite", "urlRewrite": rewrite},
            ],
            timeouts={"request": "1m30s"},
        ),
        rule(matches=[path("/away")], filters=[{"type": "RequestRedirect", "requestRedirect": redirect}]),
        rule(("gone", 80), matches=[path("/gone")]),
    ]
    return plan(
        services=[
            service("web", {"port": 80, "nodePort": 30080}, type="LoadBalancer", sessionAffinity="ClientIP"),
            service("api", {"port": 90, "appProtocol": "kubernetes.io/h2c"}, clusterIP="10.2.0.6"),
        ],
        slices=[
            slices("web", endpoint("10.1.0.7"), endpoint("10.1.0.8", "web-2", False, serving=True, terminating=True)),
            slices("api", endpoint("10.1.0.9", "api-1")),
        ],
        routes=[route("r", *rules, hosts=["*.localhost", "a.test"]), route("any", rule(("web", 80)))],
    )


def test_haproxy_accepts_everything_without_a_word(tmp_path: Path) -> None:
    made = everything()
    assert accepted(made) == [(True, "Accepted", "Route is accepted")] * 2
    assert check(made.desired, tmp_path) == ""


def test_haproxy_accepts_an_empty_house(tmp_path: Path) -> None:
    assert check(plan(services=[]).desired, tmp_path) == ""


def test_a_socket_that_could_not_be_opened_is_left_out_alone() -> None:
    made = everything().desired
    (refused,) = [b.name for b in made.binds() if b.port == 30080]
    text = configuration.text(made, {refused}, Tuning())
    assert refused not in text
    assert "FD_127_0_0_1_80}" in text


def test_no_word_of_an_object_starts_a_new_line() -> None:
    evil = [{"name": "x", "value": "a\nbackend evil"}]
    made = plan(routes=[route("r", rule(("web", 80), matches=[path("/", headers=evil)]))])
    assert accepted(made)[0][1] == "UnsupportedValue"
