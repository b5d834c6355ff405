"""The bridge network: every pod has a network namespace and an address on its node's bridge.

In: the courtyard's id and addresses. Out: attachments. Service addresses are this machine's own (a local route), so
that HAProxy binds them and pods reach them by their default route. All of it stays when the control process is
killed, and is found again: namespaces by their files, links by names that carry the id. Several nodes have a bridge
each, and the machine routes between them.
"""

import asyncio
import os
import socket
from collections.abc import Container, Mapping, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from madang.node.networks import leftovers, masquerade, namespaces, recovery, sockets
from madang.node.networks.ledger import Ledger
from madang.node.networks.netlink import Netlink
from madang.node.networks.network import Attachment
from madang.node.networks.teardown import ALIAS, destroy, group, more
from madang.node.runtimes.runtime import Ability
from madang.node.small_files import tell
from madang.ports.parts import Part, parts
from madang.ports.settings import Addresses

AT_ONCE = 4  # the kernel changes links one at a time anyway
UNPRIVILEGED_PORTS = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
STUB_RESOLVED = Path("/run/systemd/resolve/resolv.conf")


class BridgeNetwork:
    name = "bridge"

    def __init__(self, id: str, addresses: Addresses, home: Path, nodes: int = 1) -> None:
        self._id, self._addresses, self._home = id, addresses, home
        self._range = IPv4Network(addresses.pod_cidr)
        self._ledger = Ledger(home / "network", addresses.pod_cidr)
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._way_out = ""
        self._parts = parts(addresses, nodes)
        self._bridges: list[int] = []
        self.recovered: Sequence[str] = ()

    @property
    def folder(self) -> Path:
        """The namespaces' files; also what no container should hold on to."""
        return namespaces.place() / self._id

    async def probe(self) -> Ability:
        ability = await able()
        details = {"pods": self._addresses.pod_cidr, "services": self._addresses.service_cidr}
        details["way out"] = self._way_out or "by masquerade"
        return Ability(self.name, ability.works, ability.why_not, details if ability.works else {})

    async def start(self) -> None:
        await leftovers.sweep(but=self._id)
        await namespaces.in_thread(self._start)
        await namespaces.in_thread(self._know)
        for uid, attachment in list(self._ledger.all.items()):
            if not namespaces.alive(Path(attachment.netns)):  # the machine was started anew
                self._ledger.forget(uid)

    def _start(self) -> None:
        namespaces.prepare(self.folder)
        with Netlink() as outside:
            there = {link.name for link in outside.links()}
            first, *others = self._parts  # the first has all behind it that has no bridge of its own
            self._bridges = [stand(outside, first, there, self._range.prefixlen, ALIAS + str(self._home))]
            self._bridges += [stand(outside, one, there, one.prefix) for one in others]
            for name in there - {one.device for one in self._parts}:  # of nodes that are no more
                if name.startswith(more(self._id)):
                    outside.delete(name)
            outside.local_route(self._addresses.service_cidr, add=True)
        self._way_out = masquerade.open_way(self._id, self._addresses, several=len(self._parts) > 1)

    def _know(self) -> None:
        """What the ledger lacks is learned from what runs; then what nobody has goes: of an attach cut short."""
        self.recovered = tuple(self._ledger.learn(recovery.by_namespace(self._home, self.folder)))
        addresses = {attachment.ip for attachment in self._ledger.all.values()}
        known = {self._link(ip) for ip in addresses}
        with Netlink() as outside:
            for link in outside.links():
                if link.name.startswith(f"md{self._id}v") and link.name not in known:
                    outside.delete(link.name)
        for path in list(self.folder.glob("*")):
            if path.name not in addresses:
                namespaces.drop(path)

    def _link(self, ip: str) -> str:
        return f"md{self._id}v{int(IPv4Address(ip)) - int(self._range.network_address):x}"

    async def attach(self, uid: str, hostname: str, node: int = 1) -> Attachment:
        if known := self._ledger.all.get(uid):
            return known
        ip = self._ledger.next_ip(self._parts[node - 1].cidr)
        try:
            async with self._turn:
                attachment = await namespaces.in_thread(lambda: self._attach(uid, ip, node))
        except BaseException:
            self._ledger.free(ip)
            raise
        return attachment

    def _attach(self, uid: str, ip: str, node: int) -> Attachment:
        part, link, path = self._parts[node - 1], self._link(ip), self.folder / ip
        attachment = Attachment(ip, str(path))
        here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        outside = Netlink()
        try:
            namespaces.enter_new()
            namespaces.keep(path)
            with Netlink() as inside:
                inside.veth("eth0", b"\x0a\x58" + IPv4Address(ip).packed, link, here)
                outside.enslave(link, self._bridges[node - 1], group(self._id))
                inside.up("lo")
                inside.up("eth0")
                index = socket.if_nametoindex("eth0")
                inside.address(index, ip, part.prefix)
                inside.default_route(part.ip, index)
            with suppress(OSError):
                tell(UNPRIVILEGED_PORTS, b"0")  # nobody else's ports are in there
            self._ledger.write(uid, attachment)
        except BaseException:
            namespaces.drop(path)
            outside.delete(link)
            raise
        finally:
            outside.__exit__()
            os.close(here)
        return attachment

    async def detach(self, uid: str) -> None:
        """Without its name the namespace goes, its links with it, as soon as its last process has; the kernel does
        that on its own time (40 ms when waited for)."""
        attachment = self._ledger.forget(uid)
        if attachment is not None:
            await asyncio.to_thread(namespaces.drop, Path(attachment.netns))  # an unmount takes 2 ms

    def attached(self) -> Mapping[str, Attachment]:
        return dict(self._ledger.all)

    def listening(self, attachment: Attachment, port: int, pids: Sequence[int]) -> bool:
        found = [one for pid in pids[:1] for one in sockets.listeners(pid, port)]
        found = [one for one in found if one.ip in sockets.ANY or one.ip == attachment.ip]
        if not found:
            return False
        held = sockets.inodes(pids)
        return any(one.inode in held for one in found)

    def explain(self, attachment: Attachment, port: int, pids: Sequence[int]) -> str:
        """Why nothing of this pod answers at its address and port; empty when it does, or listens nowhere yet."""
        own = [one for pid in pids[:1] for one in sockets.listeners(pid)]
        if not own or any(one.port == port and one.ip in {*sockets.ANY, attachment.ip} for one in own):
            return ""
        places = ", ".join(sorted({f"{one.ip}:{one.port}" for one in own}))
        return f"listens on {places}, but should on 0.0.0.0:{port} or {attachment.ip}:{port}"

    def resolver(self, home: Path) -> Path | None:
        """The machine's own, unless it names a server on the machine's loopback, which pods can't reach."""
        for source in (Path("/etc/resolv.conf"), STUB_RESOLVED):
            with suppress(OSError):
                lines = source.read_text().splitlines()
                kept = [line for line in lines if not line.startswith("nameserver 127.")]
                if kept == lines:
                    return None if source != STUB_RESOLVED else source
        return None

    async def stop(self) -> None:
        try:
            for uid in list(self._ledger.all):
                self._ledger.forget(uid)
        finally:  # whatever the disk says
            await destroy(self._id, self._addresses)


def stand(outside: Netlink, part: Part, there: Container[str], prefix: int, alias: str = "") -> int:
    """A node's bridge; its number."""
    if part.device not in there:
        outside.bridge(part.device, alias)
    index = socket.if_nametoindex(part.device)
    outside.address(index, part.ip, prefix)
    return index


async def able() -> Ability:
    """Tried for real, in a namespace that is thrown away."""
    try:
        await namespaces.in_thread(attempt)
    except OSError as error:
        about = f" ({error.filename})" if error.filename else ""
        return Ability("bridge", False, f"needs root, or rights that are missing here: {error.strerror}{about}")
    return Ability("bridge", True)


def attempt() -> None:
    """Leaves the calling thread in a network namespace that is good for nothing. Raises OSError."""
    namespaces.enter_new()
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        with Netlink() as inside:
            inside.bridge("md-try", "")
            inside.veth("eth0", b"\x0a\x58\x0a\x00\x00\x02", "md-peer", here)
            inside.enslave("md-peer", socket.if_nametoindex("md-try"), group("0"))
    finally:
        os.close(here)
    _try_mount()


def _try_mount() -> None:
    """Naming a namespace needs a mount in the machine's own mount namespace: a folder on itself, and off again."""
    probe = namespaces.place() / f".try-{os.getpid()}"
    probe.mkdir(parents=True, exist_ok=True)
    try:
        namespaces.prepare(probe)
    finally:
        namespaces.clear(probe)
