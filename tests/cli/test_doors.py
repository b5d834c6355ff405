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


def test_one_of_two_ports_closed() -> None:
    ports = [{"port": 80}, {"port": 81, "error": "madang.dev/PortNotOpened"}]
    assert doors(WANTED, [service({"ip": "127.0.0.1", "ports": ports})], []).closed


def test_others_do_not_count() -> None:
    assert not doors(set(), [service()], []).undecided
