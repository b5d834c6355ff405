"""The bridge network on a machine of its own: a network and mount namespace in which the test is root."""

import asyncio
import fcntl
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.node.networks import living

from madang.node.networks import bridge, choice, claims, leftovers, masquerade, namespaces
from madang.node.networks.bridge import BridgeNetwork
from madang.node.networks.netlink import Link, Netlink
from madang.node.networks.network import Attachment
from madang.node.networks.teardown import group
from madang.node.runtimes.host import HostRuntime
from madang.node.runtimes.monitor import syscalls
from madang.node.runtimes.runtime import Ability, Launch
from madang.ports.settings import Addresses, Settings

ID = "0a1b2c"
ADDRESSES = Addresses("bridge", "10.200.0.0/20", "10.200.16.0/20", "10.200.0.1", device=f"md-{ID}")


@pytest.fixture(autouse=True)
def own_machine() -> Iterator[None]:
    """This thread, and those it starts, in new namespaces with an empty /run; and back."""
    before = [(os.open(f"/proc/self/ns/{n}", os.O_RDONLY), k) for n, k in (("net", 0x40000000), ("mnt", 0x20000))]
    here = os.open(".", os.O_RDONLY)
    fault = ""
    try:
        make_machine()
    except OSError as error:
        fault = f"this machine allows no network and mount namespaces: {error}"
    if not fault:
        yield
        syscalls.unshare(0x200)  # CLONE_FS: a thread that is just ending may share our root still
        for fd, kind in before:
            syscalls.setns(fd, kind)
        os.fchdir(here)
    for fd in (here, *(fd for fd, _ in before)):
        os.close(fd)
    if fault:
        pytest.skip(fault)


def make_machine() -> None:
    syscalls.unshare(syscalls.CLONE_NEWNET | syscalls.CLONE_NEWNS)
    syscalls.mount("none", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
    for place in [one for one in namespaces.mounts() if one.startswith("/run/madang/")]:
        with suppress(OSError):  # of courtyards that this machine has, in our copy
            syscalls.umount(place)
    syscalls.mount("tmpfs", "/run", "tmpfs")
    with Netlink() as own:
        own.up("lo")


@pytest.fixture
def network(tmp_path: Path) -> BridgeNetwork:
    return BridgeNetwork(ID, ADDRESSES, tmp_path)


def links() -> list[str]:
    with Netlink() as outside:
        return sorted(link.name for link in outside.links() if link.name.startswith("md"))


def ours() -> list[str]:
    return [place for place in namespaces.mounts() if "madang" in place]


async def until_links(count: int) -> None:
    async with asyncio.timeout(20):
        while len(links()) != count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


CONNECT = """
import socket, sys
print(socket.create_connection((sys.argv[1], int(sys.argv[2])), 5).recv(9))
"""
TELL = """
import socket, sys
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind((sys.argv[1], 80)); s.listen()
print("up", flush=True); one, who = s.accept(); print(who[0], flush=True); one.send(b"hello")
"""
LISTEN = """
import socket, sys
s = socket.socket(); s.bind((sys.argv[1], 80)); s.listen()
print("up", flush=True); input()
"""


def test_a_pod_has_a_namespace_an_address_and_a_way_to_services(network: BridgeNetwork) -> None:
    async def story() -> None:
        await network.start()
        first, second = await network.attach("uid-1", "a"), await network.attach("uid-2", "b")
        assert (first.ip, second.ip) == ("10.200.0.2", "10.200.0.3")
        assert links() == ["md-0a1b2c", "md0a1b2cv2", "md0a1b2cv3"]
        assert await network.attach("uid-1", "a") == first
        with socket.socket() as service:
            service.bind(("10.200.16.9", 0))  # a service address, as HAProxy binds it
            service.listen()
            port = service.getsockname()[1]
            caller = await asyncio.create_subprocess_exec(
                "nsenter", f"--net={second.netns}", "python3", "-c", CONNECT, "10.200.16.9", str(port),
                stdout=subprocess.PIPE,
            )  # fmt: skip
            service.setblocking(False)
            accepted, peer = await asyncio.get_running_loop().sock_accept(service)
            with accepted:
                accepted.send(b"hello")
            assert peer[0] == "10.200.0.3"
            assert await caller.communicate() == (b"b'hello'\n", None)
        await network.stop()

    asyncio.run(story())
    assert (links(), ours()) == ([], [])
    assert not network.folder.exists()


def test_nodes_have_networks_of_their_own_with_a_way_between(tmp_path: Path) -> None:
    def told(from_: Attachment, to: Attachment) -> bytes:
        """Whom the program in the pod `to` sees, of a connection from the pod `from_`."""
        server = subprocess.Popen(
            ["nsenter", f"--net={to.netns}", "python3", "-c", TELL, to.ip],
            stdout=subprocess.PIPE,
        )
        with server:
            assert server.stdout is not None and server.stdout.readline() == b"up\n"
            call = ["nsenter", f"--net={from_.netns}", "python3", "-c", CONNECT, to.ip, "80"]
            subprocess.run(call, check=True, timeout=20, stdout=subprocess.DEVNULL)
            return server.stdout.readline().strip()

    async def story() -> None:
        network = BridgeNetwork(ID, ADDRESSES, tmp_path, 3)
        await network.start()
        pods = [await network.attach(f"uid-{n}", "a", n) for n in (1, 2, 3)]
        assert [pod.ip for pod in pods] == ["10.200.0.2", "10.200.8.2", "10.200.9.2"]
        assert links()[:3] == ["md-0a1b2c", "md-0a1b2cn2", "md-0a1b2cn3"]
        assert await asyncio.to_thread(told, pods[0], pods[1]) == b"10.200.0.2"
        assert await asyncio.to_thread(told, pods[2], pods[1]) == b"10.200.9.2"
        assert await asyncio.to_thread(told, pods[2], pods[0]) == b"10.200.9.2"
        again = BridgeNetwork(ID, ADDRESSES, tmp_path, 2)  # killed, and started with a node less
        await again.start()
        assert again.attached() == network.attached()
        assert links()[:2] == ["md-0a1b2c", "md-0a1b2cn2"] and "md-0a1b2cn3" not in links()
        assert (await again.attach("uid-4", "a", 2)).ip == "10.200.8.3"
        await again.stop()

    asyncio.run(story())
    assert (links(), ours()) == ([], [])


def test_a_killed_control_process_finds_everything_again(network: BridgeNetwork, tmp_path: Path) -> None:
    async def story() -> None:
        await network.start()
        kept = await network.attach("uid-1", "a")
        gone = await network.attach("uid-2", "b")
        namespaces.drop(Path(gone.netns))
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        with Netlink() as outside:  # an attach that was cut short
            outside.veth("eth0", b"\x0a\x58\0\0\0\1", "md0a1b2cvff", own)
        os.close(own)
        again = BridgeNetwork(ID, ADDRESSES, tmp_path)
        await again.start()
        assert again.attached() == {"uid-1": kept}
        await until_links(2)
        assert "md0a1b2cvff" not in links()
        await again.attach("uid-3", "c")
        await again.stop()

    asyncio.run(story())
    assert (links(), ours()) == ([], [])


def test_a_damaged_ledger_is_made_anew_from_what_runs(
    network: BridgeNetwork, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        await network.start()
        kept = {f"uid-{n}": await network.attach(f"uid-{n}", "a") for n in range(6)}
        idle = await network.attach("uid-idle", "b")
        pods = [living.pod(tmp_path, uid, place) for uid, place in kept.items()]
        living.damage(tmp_path)
        again = BridgeNetwork(ID, ADDRESSES, tmp_path)
        await again.start()
        assert again.attached() == kept
        assert set(again.recovered) == set(kept)
        assert not namespaces.alive(Path(idle.netns))  # nothing of it ran
        await until_links(7)
        assert (await again.attach("uid-new", "c")).ip not in {place.ip for place in kept.values()}
        once_more = BridgeNetwork(ID, ADDRESSES, tmp_path)
        await once_more.start()
        assert not once_more.recovered
        living.end(*pods)
        await once_more.stop()

    asyncio.run(story())
    assert "uid-0.json is damaged" in caplog.text
    assert "pod uid-0 has the address 10.200.0.2: found again from what runs" in caplog.text
    assert (links(), ours()) == ([], [])


def test_many_come_and_go_and_nothing_stays(network: BridgeNetwork) -> None:
    async def rounds(count: int) -> None:
        for turn in range(count):
            await asyncio.gather(*(network.attach(f"uid-{turn}-{n}", "x") for n in range(20)))
            await asyncio.gather(*(network.detach(f"uid-{turn}-{n}") for n in range(20)))
        await until_links(1)

    async def story() -> None:
        await network.start()
        await rounds(1)
        before = len(ours()), len(os.listdir("/proc/self/fd")), len(os.listdir(network.folder))
        await rounds(9)
        assert (len(ours()), len(os.listdir("/proc/self/fd")), len(os.listdir(network.folder))) == before
        assert network.attached() == {}
        await network.stop()

    asyncio.run(story())


def test_who_listens_where(network: BridgeNetwork) -> None:
    async def story() -> None:
        await network.start()
        pod = await network.attach("uid-1", "a")
        for ip, counts, why in (
            ("0.0.0.0", True, ""),
            (pod.ip, True, ""),
            ("127.0.0.1", False, f"listens on 127.0.0.1:80, but should on 0.0.0.0:80 or {pod.ip}:80"),
        ):
            program = await asyncio.create_subprocess_exec(
                "nsenter", f"--net={pod.netns}", "python3", "-c", LISTEN, ip, stdin=-1, stdout=-1, stderr=-1
            )
            assert program.stdout is not None
            await program.stdout.readline()
            assert network.listening(pod, 80, [program.pid]) is counts
            assert network.explain(pod, 80, [program.pid]) == why
            assert not network.listening(pod, 81, [program.pid])
            await program.communicate(b"\n")
        await network.stop()

    asyncio.run(story())


def test_a_dead_courtyards_leftovers_are_swept(tmp_path: Path) -> None:
    home, folders = tmp_path / "home", [tmp_path / "claims"]
    home.mkdir()

    async def story() -> None:
        claim = claims.hold(home, "bridge", folders=folders)
        network = choice.build(Settings("t", claim.id, home, claim.addresses))
        await network.start()
        await network.attach("uid-1", "a")
        assert await leftovers.sweep(folders) == []  # its control process lives
        claim.close()
        assert await leftovers.sweep(folders) == [claim.id]

    asyncio.run(story())
    assert (links(), ours()) == ([], [])


def test_a_bridge_that_nobody_claims_is_swept_when_its_courtyard_is_over(tmp_path: Path) -> None:
    home, folders = tmp_path / "home", [tmp_path / "claims"]
    (home / "run").mkdir(parents=True)

    async def story() -> None:
        claim = claims.hold(home, "bridge", folders=folders)
        network = choice.build(Settings("t", claim.id, home, claim.addresses))
        await network.start()
        await network.attach("uid-1", "a")
        claim.path.unlink()
        with (home / "run" / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            assert await leftovers.sweep(folders) == []  # its control process has only lost its claim
        assert await leftovers.sweep(folders) == [claim.id]
        assert routes(claim.addresses.service_cidr) == []
        claim.close()

    asyncio.run(story())
    assert (links(), ours()) == ([], [])


def routes(cidr: str) -> list[str]:
    table = subprocess.run(["ip", "route", "show", "table", "local"], capture_output=True, text=True, check=True)
    return [line for line in table.stdout.splitlines() if cidr in line]


def test_links_that_go_by_themselves_meanwhile_are_no_fault(
    network: BridgeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel ends namespaces on its own time: what is listed may be gone before it is deleted."""
    real = Netlink.links
    gone = Link(99, f"md{ID}v9", group(ID))
    monkeypatch.setattr(Netlink, "links", lambda self: [*real(self), gone])

    async def story() -> None:
        await network.start()
        await network.stop()

    asyncio.run(story())
    monkeypatch.undo()
    assert (links(), ours()) == ([], [])


def test_a_step_that_fails_leaves_no_other_undone(network: BridgeNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(self: Netlink, *words: object, **more: object) -> None:
        raise OSError(16, "busy")

    async def story() -> None:
        await network.start()
        await network.attach("uid-1", "a")
        with monkeypatch.context() as planted:
            planted.setattr(Netlink, "delete_group", refuses)
            with pytest.raises(OSError, match="busy"):
                await network.stop()

    asyncio.run(story())
    assert f"md-{ID}" not in links() and ours() == []


def test_the_rules_are_a_value() -> None:
    assert masquerade.ruleset(ID, ADDRESSES) == (
        "add table ip madang_0a1b2c\n"
        "delete table ip madang_0a1b2c\n"
        "table ip madang_0a1b2c {\n"
        "  chain out {\n"
        "    type nat hook postrouting priority 100;\n"
        '    ip saddr 10.200.0.0/20 ip daddr != 10.200.0.0/20 oifname != "md-0a1b2c" masquerade\n'
        "  }\n"
        "}\n"
    )


def test_choosing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asyncio.run(choice.choose()).network == "bridge"
    assert asyncio.run(choice.choose("loopback")).network == "loopback"

    def refused() -> None:
        raise PermissionError(1, "Operation not permitted", "link md-try")

    monkeypatch.setattr(bridge, "attempt", refused)
    found = asyncio.run(choice.choose())
    assert found.network == "loopback"
    assert found.abilities[0].why_not == (
        "needs root, or rights that are missing here: Operation not permitted (link md-try)"
    )
    stand = Ability("without root", False, "user namespaces are refused here: unshare: Operation not permitted")
    told = asyncio.run(choice.choose(stand=stand)).abilities[0].why_not
    assert told == f"needs root, or a user namespace: {stand.why_not}"
    with pytest.raises(OSError, match="the bridge network cannot work here: needs root"):
        asyncio.run(choice.choose("bridge"))


def test_a_container_does_not_keep_its_neighbours_namespace(network: BridgeNetwork, tmp_path: Path) -> None:
    """Its mounts are a copy of the machine's, the names of all namespaces among them."""

    async def story() -> None:
        runtime = HostRuntime("unused", limits=False)
        await network.start()
        neighbour, own = await network.attach("uid-1", "a"), await network.attach("uid-2", "b")
        wanted = Launch(
            "c", tmp_path / "c", ["sleep", "1000"], {"PATH": "/usr/bin:/bin"}, "/", tmp_path / "log", netns=own.netns
        )
        running = await runtime.start(wanted)
        assert running.failed is None
        await network.detach("uid-1")
        await until_links(2)
        assert not namespaces.alive(Path(neighbour.netns))
        await runtime.kill(running)
        await runtime.wait(running, wanted.folder)
        runtime.close()
        await network.stop()

    asyncio.run(story())
    assert (links(), ours()) == ([], [])


@pytest.mark.parametrize(
    ("policies", "told"),
    [
        (("accept", "accept"), ""),
        (
            ("accept", "drop"),
            "pods reach nothing outside this machine unless the firewall allows it, whose policy for FORWARD is drop: "
            "iptables -I FORWARD -i md-0a1b2c -j ACCEPT; iptables -I FORWARD -o md-0a1b2c -j ACCEPT",
        ),
        (
            ("drop", "accept"),
            "pods reach no service unless the firewall allows it, whose policy for INPUT is drop: "
            "iptables -I INPUT -i md-0a1b2c -j ACCEPT",
        ),
    ],
)
def test_what_a_firewall_drops_is_told(policies: tuple[str, str], told: str) -> None:
    nft = shutil.which("nft", path=masquerade.PLACES)
    if nft is None:
        pytest.skip("no nft on this machine")
    rules = "".join(
        f"chain {hook.upper()} {{\n type filter hook {hook} priority 0; policy {policy};\n tcp dport 1 accept\n}}\n"
        for hook, policy in zip(("input", "forward"), policies)
    )
    done = subprocess.run([nft, "-f", "-"], input=f"table ip filter {{\n{rules}}}\n", text=True, check=False)
    if done.returncode:
        pytest.skip("this kernel has no nftables")
    assert masquerade.open_way(ID, ADDRESSES) == told
