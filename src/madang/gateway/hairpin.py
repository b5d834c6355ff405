"""A pod that asks a Service and is the instance itself: its bridge port must send back where a datagram came from.

In: the courtyard's id and range, the instances. Out: hairpin mode on their ports. Needed where the machine's bridges
pass through the packet filter (`bridge-nf-call-iptables`), harmless elsewhere. Layout: linux/if_bridge.h.
"""

import os
import socket
import struct
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network

from madang.ports.settings import Settings

SETLINK, REQUEST, ACK = 19, 0x1, 0x4
AF_BRIDGE, PROTINFO, NESTED, MODE = 7, 12, 0x8000, 4


def link_name(settings: Settings, address: str) -> str:
    """As the bridge network names the link of a pod; empty for who is no pod of ours."""
    span = IPv4Network(settings.addresses.pod_cidr)
    ip = IPv4Address(address)
    return f"md{settings.id}v{int(ip) - int(span.network_address):x}" if ip in span else ""


def allow(settings: Settings, instances: Iterable[str]) -> None:
    """A link that is gone, or was never there, needs nothing."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as asked:
        asked.bind((0, 0))
        for address in instances:
            name = link_name(settings, address)
            with suppress(OSError):
                _ask(asked, socket.if_nametoindex(name))


def _ask(asked: socket.socket, index: int) -> None:
    mode = struct.pack("=HHB3x", 5, MODE, 1)
    body = struct.pack("=BxHiII", AF_BRIDGE, 0, index, 0, 0)
    body += struct.pack("=HH", len(mode) + 4, PROTINFO | NESTED) + mode
    asked.send(struct.pack("=IHHII", len(body) + 16, SETLINK, REQUEST | ACK, 1, 0) + body)
    (code,) = struct.unpack_from("=i", asked.recv(4096), 16)
    if code:
        raise OSError(-code, os.strerror(-code), f"link {index}")
