"""Who holds a port: by address and port, named so that a person knows what to stop."""

import socket

import pytest

from madang.gateway import taken
from madang.gateway.desired import Bind, Owner
from madang.gateway.keeping import Unopened
from madang.gateway.taken import COURTYARD, explain, holder
from madang.porch import standing

OWNER = Owner("services", "shop", "web")


@pytest.mark.parametrize(
    ("host", "held", "pid"),
    [
        ("127.0.0.1", [("10.0.0.1", 80, 7)], 0),  # the same port of another address is somebody else's business
        ("127.0.0.1", [("10.0.0.1", 80, 7), ("127.0.0.1", 80, 8)], 8),
        ("127.0.0.1", [("0.0.0.0", 80, 9)], 9),
        ("0.0.0.0", [("10.0.0.1", 80, 7)], 7),
        ("127.0.0.1", [("127.0.0.1", 81, 7)], 0),
    ],
)
def test_holder(host: str, held: list[tuple[str, int, int]], pid: int) -> None:
    assert holder(Bind(host, 80, OWNER, "published port 80"), held) == pid


def test_the_message_names_the_process_and_the_ways_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        (refusal,) = explain(
            [Unopened(Bind("127.0.0.1", port, OWNER, f"published port {port}"), "EADDRINUSE", "Address already in use")]
        )
    assert f"127.0.0.1:{port} is taken by `" in refusal.message and refusal.pid
    assert refusal.message.endswith("stop it, or choose another port")


def test_another_courtyard_is_known_by_its_folder() -> None:
    found = COURTYARD.search("/usr/sbin/haproxy -db -f /home/u/.local/state/madang/a b/gateway/12/haproxy.cfg -sf 3")
    assert found is not None and found[1] == "/home/u/.local/state/madang/a b"


def test_inside_the_porch_says_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several holders of one socket the one that names its courtyard is told."""
    commands = {7: "python keeper", 8: "haproxy -db -f /home/u/second/gateway/1/haproxy.cfg"}
    monkeypatch.setattr(standing, "inside", lambda: True)
    monkeypatch.setattr(standing, "listening", lambda port: [("127.0.0.1", port, pid) for pid in commands])
    monkeypatch.setattr(taken, "_command", lambda pid: commands.get(pid, ""))
    (refusal,) = explain([Unopened(Bind("127.0.0.1", 80, OWNER, "published port 80"), "EADDRINUSE", "in use")])
    assert "is taken by the courtyard in /home/u/second (pid 8)" in refusal.message
