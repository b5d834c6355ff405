"""The loopback network: an endpoint counts only when the socket is the pod's own, and says why when it isn't."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.node.networks import living

from madang.node.networks import sockets
from madang.node.networks.loopback import LoopbackNetwork
from madang.node.networks.network import Attachment
from madang.ports.settings import Addresses

ADDRESSES = Addresses("loopback", "127.251.0.0/17", "127.251.128.0/17", "127.251.0.1", port_base=9000, port_count=9)
ME = [os.getpid()]


@pytest.fixture
def network(tmp_path: Path) -> LoopbackNetwork:
    return LoopbackNetwork(ADDRESSES, tmp_path)


def listening(ip: str, family: int = socket.AF_INET) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.bind((ip, 0))
    except OSError:
        sock.close()
        raise
    sock.listen()
    return sock


def test_every_pod_has_an_address_of_its_own(network: LoopbackNetwork, tmp_path: Path) -> None:
    async def story() -> None:
        assert (await network.probe()).works
        await network.start()
        first, second = await network.attach("uid-1", "a"), await network.attach("uid-2", "b")
        assert (first.ip, second.ip, first.netns) == ("127.251.0.2", "127.251.0.3", "")
        assert await network.attach("uid-1", "a") == first
        assert LoopbackNetwork(ADDRESSES, tmp_path).attached() == {"uid-1": first, "uid-2": second}
        await network.detach("uid-1")
        await network.detach("uid-1")
        assert set(network.attached()) == {"uid-2"}
        await network.stop()
        assert network.attached() == {}

    asyncio.run(story())


def test_a_damaged_ledger_is_made_anew_from_what_runs(network: LoopbackNetwork, tmp_path: Path) -> None:
    async def story() -> None:
        await network.start()
        kept = {uid: await network.attach(uid, "a") for uid in ("uid-1", "uid-2", "uid-idle")}
        pods = [
            living.pod(tmp_path, "uid-1", kept["uid-1"], listens=True),
            living.pod(tmp_path, "uid-2", kept["uid-2"], told=True),
        ]
        living.damage(tmp_path)
        again = LoopbackNetwork(ADDRESSES, tmp_path)
        await again.start()
        assert again.attached() == {uid: kept[uid] for uid in ("uid-1", "uid-2")}
        assert set(again.recovered) == {"uid-1", "uid-2"}
        living.end(*pods)
        await again.stop()

    asyncio.run(story())


@pytest.mark.parametrize("ip", ["127.251.0.2", "0.0.0.0", "::", "::ffff:127.251.0.2"])
def test_a_pods_own_socket_counts(network: LoopbackNetwork, ip: str) -> None:
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    try:
        sock = listening(ip, family)
    except OSError as error:
        pytest.skip(f"this machine has no {ip}: {error.strerror}")
    with sock:
        port = sock.getsockname()[1]
        assert network.listening(Attachment("127.251.0.2"), port, ME)
        assert not network.listening(Attachment("127.251.0.2"), port, [])
        assert not network.listening(Attachment("127.251.0.2"), 1, ME)


def test_somebody_elses_socket_does_not_count(network: LoopbackNetwork) -> None:
    code = (
        "import socket, sys; s = socket.socket(); s.bind(('', 0)); s.listen(); "
        "print(s.getsockname()[1], flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True) as other:
        assert other.stdout is not None
        port = int(other.stdout.readline())
        attachment = Attachment("127.251.0.2")
        assert not network.listening(attachment, port, ME)
        assert network.listening(attachment, port, [other.pid])
        comm = Path(f"/proc/{other.pid}/comm").read_text().strip()
        assert network.explain(attachment, port, [1 << 22]) == (
            f"port {port} is taken on every address by process {other.pid} ({comm}), which listens on 0.0.0.0:{port}"
        )
        other.communicate("\n")


def test_where_it_listens_instead_is_said(network: LoopbackNetwork) -> None:
    attachment = Attachment("127.251.0.2")
    with listening("127.251.0.2") as good:
        assert network.explain(attachment, good.getsockname()[1], ME) == ""
    with listening("0.0.0.0") as everywhere:
        port = everywhere.getsockname()[1]
        assert network.explain(attachment, port, ME) == (
            f"listens on 0.0.0.0:{port}, but on this network that takes port {port} on every address of the machine: "
            f"a second replica, or another service with this port, cannot start; "
            f"listen on $HOST:$PORT (127.251.0.2:{port})"
        )
    with listening("127.0.0.1") as elsewhere:
        port = elsewhere.getsockname()[1]
        assert f"listens on 127.0.0.1:{port}" in network.explain(attachment, port, ME)
        assert f"but should on 127.251.0.2:{port}: listen on $HOST:$PORT" in network.explain(attachment, port, ME)


def test_an_ipv6_listener_is_read() -> None:
    try:
        sock = listening("::1", socket.AF_INET6)
    except OSError as error:
        pytest.skip(f"this machine has no ::1: {error.strerror}")
    with sock:
        port = sock.getsockname()[1]
        assert [one.ip for one in sockets.listeners(port=port)] == ["::1"]
