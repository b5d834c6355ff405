"""The few rtnetlink messages that the bridge network needs, over one socket of one network namespace.

In: names, addresses. Out: links, addresses and routes of the kernel, or OSError with what it was about. A library
for this (pyroute2) costs 28 MB of memory and a third of a second of start: measured, so these messages are ours.
Layouts: rtnetlink(7), linux/if_link.h, linux/veth.h.
"""

import ipaddress
import os
import socket
import struct
from typing import NamedTuple, Self

NEWLINK, DELLINK, GETLINK, SETLINK, NEWADDR, NEWROUTE, DELROUTE = 16, 17, 18, 19, 20, 24, 25
REQUEST, ACK, DUMP, EXCL, CREATE, REPLACE = 0x1, 0x4, 0x300, 0x200, 0x400, 0x100
ERROR, DONE = 2, 3
IFLA_ADDRESS, IFLA_IFNAME, IFLA_MASTER, IFLA_LINKINFO = 1, 3, 10, 18
IFLA_IFALIAS, IFLA_GROUP, IFLA_NET_NS_FD = 20, 27, 28
INFO_KIND, INFO_DATA, VETH_INFO_PEER = 1, 2, 1
IFA_ADDRESS, IFA_LOCAL = 1, 2
RTA_DST, RTA_OIF, RTA_GATEWAY = 1, 4, 5
TABLE_MAIN, TABLE_LOCAL = 254, 255
SCOPE_UNIVERSE, SCOPE_HOST = 0, 254
TYPE_UNICAST, TYPE_LOCAL = 1, 2
PROTOCOL_STATIC = 4
UP = 1
NO_DEVICE = 19  # ENODEV


class Link(NamedTuple):
    number: int
    name: str
    group: int
    alias: str = ""


def attribute(kind: int, value: bytes | str | int) -> bytes:
    if isinstance(value, str):
        value = value.encode() + b"\0"
    elif isinstance(value, int):
        value = struct.pack("=I", value)
    return struct.pack("=HH", len(value) + 4, kind) + value + b"\0" * (-len(value) % 4)


def packed(ip: str) -> bytes:
    return ipaddress.IPv4Address(ip).packed


class Conversation:
    """A netlink socket: questions, answers, refusals. Opened in the network namespace of the calling thread, and of
    that one for ever."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self._socket.bind((0, 0))
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, type: int, flags: int, body: bytes, about: str) -> None:
        self.exchange(type, flags | ACK, body, about)

    def exchange(self, type: int, flags: int, body: bytes, about: str) -> list[bytes]:
        self._number += 1
        self._socket.send(struct.pack("=IHHII", len(body) + 16, type, flags | REQUEST, self._number, 0) + body)
        found: list[bytes] = []
        while True:
            data = self._socket.recv(1 << 17)
            while len(data) >= 16:
                length, kind, _, number, _ = struct.unpack_from("=IHHII", data)
                content, data = data[16:length], data[length + (-length % 4) :]
                if number != self._number:
                    continue
                if kind == ERROR:
                    (code,) = struct.unpack_from("=i", content)
                    if code:
                        raise OSError(-code, os.strerror(-code), about)
                    return found
                if kind == DONE:
                    return found
                found.append(content)


class Netlink(Conversation):
    """Links, addresses and routes."""

    def bridge(self, name: str, alias: str) -> None:
        kind = attribute(IFLA_LINKINFO, attribute(INFO_KIND, b"bridge"))
        self._link(NEWLINK, CREATE | EXCL, name, kind, up=True)
        self._link(SETLINK, 0, name, attribute(IFLA_IFALIAS, alias.encode()))

    def veth(self, name: str, mac: bytes, peer: str, peer_netns: int) -> None:
        """`name` here, `peer` in the namespace of that descriptor."""
        other = struct.pack("=BxHiII", 0, 0, 0, 0, 0) + attribute(IFLA_IFNAME, peer)
        other += attribute(IFLA_NET_NS_FD, peer_netns)
        data = attribute(INFO_DATA, attribute(VETH_INFO_PEER, other))
        kind = attribute(IFLA_LINKINFO, attribute(INFO_KIND, b"veth") + data)
        self._link(NEWLINK, CREATE | EXCL, name, attribute(IFLA_ADDRESS, mac) + kind)

    def enslave(self, name: str, master: int, group: int) -> None:
        """To a bridge, and up; `group` is what it is deleted with."""
        self._link(SETLINK, 0, name, attribute(IFLA_MASTER, master) + attribute(IFLA_GROUP, group), up=True)

    def up(self, name: str) -> None:
        self._link(SETLINK, 0, name, b"", up=True)

    def delete(self, name: str) -> None:
        """Gone is a success."""
        try:
            self._link(DELLINK, 0, name, b"")
        except OSError as error:
            if error.errno != NO_DEVICE:
                raise

    def delete_group(self, group: int, prefix: str) -> None:
        """All links of a group at once (one by one costs 20 ms each), if none but ours are in it."""
        members = [link.name for link in self.links() if link.group == group]
        if members and group and all(name.startswith(prefix) for name in members):
            body = struct.pack("=BxHiII", 0, 0, 0, 0, 0) + attribute(IFLA_GROUP, group)
            try:
                self.ask(DELLINK, 0, body, f"links {prefix}*")
            except OSError as error:
                if error.errno != NO_DEVICE:  # the last ones went with their namespaces meanwhile
                    raise
        for link in self.links():
            if link.name.startswith(prefix):
                self.delete(link.name)

    def address(self, index: int, ip: str, prefix: int) -> None:
        body = struct.pack("=BBBBI", socket.AF_INET, prefix, 0, SCOPE_UNIVERSE, index)
        body += attribute(IFA_LOCAL, packed(ip)) + attribute(IFA_ADDRESS, packed(ip))
        self.ask(NEWADDR, CREATE | REPLACE, body, f"address {ip}/{prefix}")

    def default_route(self, gateway: str, index: int) -> None:
        target = attribute(RTA_GATEWAY, packed(gateway)) + attribute(RTA_OIF, index)
        body = self._route(0, TABLE_MAIN, SCOPE_UNIVERSE, TYPE_UNICAST) + target
        self.ask(NEWROUTE, CREATE | REPLACE, body, f"default route by {gateway}")

    def local_route(self, cidr: str, *, add: bool) -> None:
        """All addresses of `cidr` are this machine's own (AnyIP)."""
        net = ipaddress.IPv4Network(cidr)
        body = self._route(net.prefixlen, TABLE_LOCAL, SCOPE_HOST, TYPE_LOCAL)
        body += attribute(RTA_DST, net.network_address.packed) + attribute(RTA_OIF, socket.if_nametoindex("lo"))
        try:
            self.ask(NEWROUTE if add else DELROUTE, CREATE | REPLACE if add else 0, body, f"route to {cidr}")
        except OSError as error:
            if add or error.errno != 3:  # ESRCH: there is none
                raise

    @staticmethod
    def _route(prefix: int, table: int, scope: int, type: int) -> bytes:
        return struct.pack("=BBBBBBBBI", socket.AF_INET, prefix, 0, 0, table, PROTOCOL_STATIC, scope, type, 0)

    def links(self) -> list[Link]:
        found = []
        for body in self.exchange(GETLINK, DUMP, struct.pack("=BxHiII", 0, 0, 0, 0, 0), "links"):
            (number,) = struct.unpack_from("=i", body, 4)
            attributes = dict(_attributes(body[16:]))
            (group,) = struct.unpack("=I", attributes.get(IFLA_GROUP, bytes(4)))
            name, alias = (attributes.get(kind, b"").rstrip(b"\0") for kind in (IFLA_IFNAME, IFLA_IFALIAS))
            found.append(Link(number, name.decode(), group, os.fsdecode(alias)))
        return found

    def _link(self, type: int, flags: int, name: str, attributes: bytes, *, up: bool = False) -> None:
        body = struct.pack("=BxHiII", 0, 0, 0, UP if up else 0, UP if up else 0)
        self.ask(type, flags, body + attribute(IFLA_IFNAME, name) + attributes, f"link {name}")


def _attributes(data: bytes) -> list[tuple[int, bytes]]:
    found = []
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if length < 4:
            break
        found.append((kind & 0x3FFF, data[4:length]))
        data = data[length + (-length % 4) :]
    return found
