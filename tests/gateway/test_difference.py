"""From one configuration to the next: what a live command can do is never a reload."""

from dataclasses import replace

from madang.gateway.desired import Backend, Bind, Cell, Choice, Desired, Door, Frontend, Owner, Server
from madang.gateway.difference import AddServer, Reload, RemoveRow, RemoveServer, SetRow, SetState, difference

OWNER = Owner("services", "default", "web")
BIND = Bind("127.0.0.1", 80, OWNER, "port 80")
A, B = Server("a", "10.0.0.1", 80), Server("b", "10.0.0.2", 80)
BACKEND = Backend("web", "http", (A,))
DOOR = Door("door-8080", Bind("127.0.0.1", 8080, OWNER, ""), (("h/", "web"),))
OLD = Desired((Frontend("web", "http", (BIND,), "web"),), (DOOR,), (BACKEND,))


def test_nothing_new_is_nothing_to_do() -> None:
    assert difference(OLD, OLD) == []


def test_servers_come_and_go_live() -> None:
    new = replace(OLD, backends=(replace(BACKEND, servers=(B,)),))
    assert difference(OLD, new) == [AddServer(new.backends[0], B), RemoveServer("web", "a")]


def test_a_server_drains_and_returns() -> None:
    leaving = replace(OLD, backends=(replace(BACKEND, servers=(replace(A, state="drain"),)),))
    assert difference(OLD, leaving) == [SetState("web", "a", "drain")]
    assert difference(leaving, OLD) == [SetState("web", "a", "ready")]


def test_rows_change_live_and_what_goes_goes_last() -> None:
    new = replace(OLD, doors=(replace(DOOR, table=(("g/", "web"),)),))
    assert difference(OLD, new) == [SetRow("door-8080.map", "g/", "web", True), RemoveRow("door-8080.map", "h/")]
    other = replace(OLD, doors=(replace(DOOR, table=(("h/", "api"),)),))
    assert difference(OLD, other) == [SetRow("door-8080.map", "h/", "api", False)]


def test_structure_needs_a_new_process() -> None:
    cell = Cell("=1", (Choice((), (("web", 1),)),))
    for new in (
        replace(OLD, backends=(BACKEND, Backend("api", "http"))),
        replace(OLD, backends=(replace(BACKEND, affinity=True),)),
        replace(OLD, frontends=()),
        replace(OLD, doors=(replace(DOOR, cells=(cell,)),)),
        replace(OLD, doors=(replace(DOOR, suffixes=((".x", "*.x"),)),)),
    ):
        assert difference(OLD, new) == Reload()


def test_a_socket_that_can_be_opened_at_last_needs_a_new_process() -> None:
    assert difference(OLD, OLD, {BIND.name}, ()) == Reload()
