"""The API's ports: for people, and for pods on the bridge's address, whoever has taken what there."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from madang.ports.errors import Unavailable
from madang.ports.settings import Addresses, Settings
from madang.wire import listening
from madang.wire.listening import listen
from madang.wire.serve import serve
from tests.api.house import house

BRIDGE = "127.0.99.1"  # stands for the bridge's address


def settings(home: Path, gateway_ip: str = BRIDGE) -> Settings:
    return Settings("t", "t1", home, Addresses("bridge", "10.244.0.0/16", "10.96.0.0/16", gateway_ip, device="md-t1"))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def opened(stack: ExitStack, wanted: Settings, port: int = 0) -> listening.Listening:
    found = listen(wanted, port)
    for sock in found.sockets:
        stack.enter_context(closing(sock))
    return found


def taken(stack: ExitStack, host: str, port: int = 0) -> int:
    sock = stack.enter_context(socket.socket())
    sock.bind((host, port))
    sock.listen()
    return int(sock.getsockname()[1])


def test_pods_have_the_same_port_where_it_is_free(tmp_path: Path, stack: ExitStack) -> None:
    found = opened(stack, settings(tmp_path))
    assert (found.address, found.port_for_pods, found.closed) == (BRIDGE, found.port, "")


def test_pods_have_another_port_where_somebody_has_it(tmp_path: Path, stack: ExitStack) -> None:
    number = taken(stack, BRIDGE)
    (tmp_path / listening.REMEMBERED).write_text(str(number))
    found = opened(stack, settings(tmp_path))
    assert found.port == number  # the kubeconfig's stays
    assert found.port_for_pods not in (0, number) and not found.closed
    with socket.create_connection((BRIDGE, found.port_for_pods), 5):
        pass


def test_an_address_on_which_nothing_can_be_opened_is_told(
    tmp_path: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "IP_FREEBIND", socket.IP_TTL)
    found = opened(stack, settings(tmp_path, "203.0.113.7"))
    assert "no port could be opened on 203.0.113.7, the bridge's address" in found.closed


def test_a_wanted_port_that_is_taken_is_refused(tmp_path: Path, stack: ExitStack) -> None:
    number = taken(stack, "127.0.0.1")
    with pytest.raises(Unavailable, match=f"port {number} cannot be opened: Address already in use"):
        listen(settings(tmp_path), number)


def test_the_service_leads_to_the_port_for_pods(tmp_path: Path, stack: ExitStack) -> None:
    async def check() -> None:
        async with house("bridge", tmp_path) as api:
            object.__setattr__(api.desk.settings.addresses, "gateway_ip", BRIDGE)
            number = taken(stack, BRIDGE)
            (tmp_path / listening.REMEMBERED).write_text(str(number))
            async with serve(api) as door:
                piece = api.view.get("endpointslices.discovery.k8s.io", "default", "kubernetes")
                service = api.view.get("services", "default", "kubernetes")
                assert piece is not None and service is not None and door.port == number
                port = piece["ports"][0]["port"]
                assert piece["endpoints"][0]["addresses"] == [BRIDGE] and port != number
                assert service["spec"]["ports"][0]["targetPort"] == port
                _, writer = await asyncio.open_connection(BRIDGE, port)
                writer.close()
                await writer.wait_closed()

    asyncio.run(check())


def test_an_event_tells_that_pods_cannot_reach_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "IP_FREEBIND", socket.IP_TTL)

    async def check() -> None:
        async with house("bridge", tmp_path) as api, serve(api) as door:
            assert door.closed
            async with asyncio.timeout(10):
                while not api.view.list("events"):  # noqa: ASYNC110 (it is written behind the back)
                    await asyncio.sleep(0.005)
            (event,) = api.view.list("events")
            assert (event["reason"], event["involvedObject"]["name"]) == ("PortNotOpened", "kubernetes")
            assert event["message"] == door.closed

    asyncio.run(check())
