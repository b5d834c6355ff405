"""The loopback network: every pod has a 127.x.y.z address of its own in the machine's own network namespace.

In: the courtyard's block. Out: attachments without a namespace. Nothing is forbidden to a program here, so an
endpoint counts only when the listening socket is the pod's own; `explain` tells why one doesn't.
"""

import asyncio
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from madang.node.networks import leftovers, recovery, sockets
from madang.node.networks.ledger import Ledger
from madang.node.networks.network import Attachment
from madang.node.runtimes.runtime import Ability
from madang.ports.settings import Addresses


class LoopbackNetwork:
    name = "loopback"

    def __init__(self, addresses: Addresses, home: Path, nodes: int = 1) -> None:
        self._addresses = addresses
        self._home = home
        self._ledger = Ledger(home / "network", addresses.pod_cidr, last=nodes)  # the nodes' own stand there
        self.recovered: Sequence[str] = ()

    async def probe(self) -> Ability:
        """Linux answers on all of 127/8; where only 127.0.0.1 exists, pods can't be told apart by address."""
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
            try:
                sock.bind((self._addresses.gateway_ip, 0))
            except OSError as error:
                return Ability(self.name, False, f"{self._addresses.gateway_ip} cannot be bound: {error.strerror}")
        return Ability(self.name, True, details={"pods": self._addresses.pod_cidr})

    async def start(self) -> None:
        """Nothing is shared: the kernel answers on all of 127/8."""
        await leftovers.sweep()
        found = await asyncio.to_thread(
            recovery.by_address, self._home, self._addresses.pod_cidr, set(self._ledger.all)
        )
        self.recovered = tuple(self._ledger.learn(found))

    async def attach(self, uid: str, hostname: str, node: int = 1) -> Attachment:
        if known := self._ledger.all.get(uid):
            return known
        attachment = Attachment(self._ledger.next_ip())
        self._ledger.write(uid, attachment)
        return attachment

    async def detach(self, uid: str) -> None:
        self._ledger.forget(uid)

    def attached(self) -> Mapping[str, Attachment]:
        return dict(self._ledger.all)

    def listening(self, attachment: Attachment, port: int, pids: Sequence[int]) -> bool:
        found = [one for one in sockets.listeners(port=port) if one.ip in sockets.ANY or one.ip == attachment.ip]
        if not found:
            return False
        held = sockets.inodes(pids)
        return any(one.inode in held for one in found)

    def explain(self, attachment: Attachment, port: int, pids: Sequence[int]) -> str:
        """Why nothing of this pod answers at its address and port; empty when it does, or listens nowhere yet."""
        should = f"{attachment.ip}:{port}"
        held = sockets.inodes(pids)
        own = [one for one in sockets.listeners() if one.inode in held]
        if any(one.port == port and one.ip == attachment.ip for one in own):
            return ""
        if any(one.port == port and one.ip in sockets.ANY for one in own):
            return (
                f"listens on 0.0.0.0:{port}, but on this network that takes port {port} on every address of the "
                f"machine: a second replica, or another service with this port, cannot start; "
                f"listen on $HOST:$PORT ({should})"
            )
        if own:
            places = ", ".join(sorted({f"{one.ip}:{one.port}" for one in own}))
            return f"listens on {places}, but should on {should}: listen on $HOST:$PORT"
        for one in sockets.listeners(port=port):
            if one.ip in sockets.ANY:
                who = sockets.owner(one.inode)
                by = f"process {who[0]} ({who[1]})" if who else "a process of another user"
                return f"port {port} is taken on every address by {by}, which listens on 0.0.0.0:{port}"
        return ""

    def resolver(self, home: Path) -> Path | None:
        return None

    async def stop(self) -> None:
        for uid in list(self._ledger.all):
            self._ledger.forget(uid)
