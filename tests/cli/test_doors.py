"""Published ports: open, closed with the newest reason, or not yet decided."""

from typing import Any

from madang.cli.doors import doors, published

WANTED = {("shop", "web")}


def service(*ingress: Any) -> Any:
    return {
        "kind": "Service",
        "metadata": {"namespace": "shop", "name": "web", "uid": "u"},
        "spec": {"type": "LoadBalancer"},
        "status": {"loadBalancer": {"ingress": list(ingress)}},
    }


def event(message: str, at: str, uid: str = "u") -> Any:
    return {
        "reason": "PortTaken",
        "message": message,
        "lastTimestamp": at,
        "involvedObject": {"uid": uid, "name": "web"},
    }


def test_only_published_services_count() -> None:
    assert published([service(), {"kind": "Service", "metadata": {"name": "x"}, "spec": {}}]) == WANTED


def test_open() -> None:
    assert not doors(WANTED, [service({"ip": "127.0.0.1"})], [event("old", "2026-01-01T00:00:00Z")]).closed


def test_undecided_until_somebody_says_why() -> None:
    assert doors(WANTED, [service()], [event("of another life", "2026-01-01T00:00:00Z", uid="before")]).undecided
    said = [event("new", "2026-01-01T00:00:02Z"), event("old", "2026-01-01T00:00:01Z")]
    found = doors(WANTED, [service()], said)
    assert not found.undecided and found.closed == ("web: new",)


def test_a_port_that_cannot_be_published_is_decided() -> None:
    said = {**event("published port 53/UDP is not open", "2026-01-01T00:00:02Z"), "reason": "ProtocolNotSupported"}
    found = doors(WANTED, [service()], [said])
    assert not found.undecided and found.closed == ("web: published port 53/UDP is not open",)


def test_one_of_two_ports_closed() -> None:
    ports = [{"port": 80}, {"port": 81, "error": "madang.dev/PortNotOpened"}]
    assert doors(WANTED, [service({"ip": "127.0.0.1", "ports": ports})], []).closed


def test_others_do_not_count() -> None:
    assert not doors(set(), [service()], []).undecided


def test_a_word_about_a_port_that_it_no_longer_has_does_not_count() -> None:
    moved = service()
    moved["spec"]["ports"] = [{"port": 8081}]
    old = event("published port 8080: 127.0.0.1:8080 is taken", "2026-01-01T00:00:00Z")
    assert doors(WANTED, [moved], [old]).undecided
    new = event("published port 8081: 127.0.0.1:8081 is taken", "2026-01-01T00:00:01Z")
    assert doors(WANTED, [moved], [old, new]).closed == ("web: published port 8081: 127.0.0.1:8081 is taken",)


def test_a_status_of_another_port_is_older_than_the_service() -> None:
    moved = service({"ip": "127.0.0.1", "ports": [{"port": 8080}]})
    moved["spec"]["ports"] = [{"port": 8081}]
    assert doors(WANTED, [moved], []).undecided


def test_of_several_projects_each_is_named() -> None:
    found = doors({*WANTED, ("blog", "web")}, [service()], [event("taken", "2026-01-01T00:00:00Z")])
    assert found.closed == ("shop/web: taken",)
