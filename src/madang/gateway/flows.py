"""UDP flows that the kernel remembers: those that lead to an instance that is gone are forgotten.

In: the rows that stand now and those before. Out: how many were forgotten. A flow is decided by its first datagram and
lives on as long as its caller sends: without this it would go to a dead address for ever. Layouts: ctnetlink
(linux/netfilter/nfnetlink_conntrack.h), one dump of the table and one message for each flow that goes.
"""

import logging
import os
import socket
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from madang.gateway.desired import Datagram

log = logging.getLogger(__name__)
NETLINK_NETFILTER = 12
GET, DELETE = 0x101, 0x102  # of the subsystem ctnetlink
REQUEST, ACK, DUMP = 0x1, 0x4, 0x300
ERROR, DONE = 2, 3
ORIGINAL, REPLY = 1, 2
TUPLE_IP, TUPLE_PROTO = 1, 2
SOURCE, TARGET = 1, 2  # of an IP, as attributes of the tuple's first part
NUMBER, SOURCE_PORT, TARGET_PORT = 1, 2, 3  # of its second
UDP = 17
HEADER = struct.pack("=BBH", socket.AF_INET, 0, 0)


class Flow(NamedTuple):
    """`original` is the tuple as the kernel wrote it, by which it is named."""

    place: tuple[str, int]  # whom the caller asked
    instance: tuple[str, int]  # who answers
    original: bytes


def stale(found: Iterable[Flow], rows: Iterable[Datagram], before: Iterable[Datagram]) -> list[Flow]:
    """Of places that are ours, or were, those that lead to nobody who stands behind them now."""
    behind = {(row.address, row.port): set[tuple[str, int]]() for row in (*before, *rows)}
    for row in rows:
        behind[row.address, row.port].update(row.to)
    return [flow for flow in found if flow.place in behind and flow.instance not in behind[flow.place]]


def forget(rows: tuple[Datagram, ...], before: tuple[Datagram, ...]) -> int:
    """A kernel that tells no flows has none to forget, or none that we may see."""
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_NETFILTER) as asked:
            asked.bind((0, 0))
            asked.settimeout(2.0)
            gone = stale(list(_flows(asked)), rows, before)
            for flow in gone:
                _send(asked, DELETE, ACK, _attribute(ORIGINAL | 0x8000, flow.original))
                for _ in _answers(asked):
                    pass
            return len(gone)
    except OSError as error:
        log.info("UDP flows are not looked through: %s", error)
        return 0


def _flows(asked: socket.socket) -> Iterator[Flow]:
    _send(asked, GET, DUMP, b"")
    for body in _answers(asked):
        parts = dict(_attributes(body[4:]))
        if (original := parts.get(ORIGINAL)) and (reply := parts.get(REPLY)):
            place, instance = _end(original, TARGET, TARGET_PORT), _end(reply, SOURCE, SOURCE_PORT)
            if place is not None and instance is not None:
                yield Flow(place, instance, original)


def _end(told: bytes, address: int, port: int) -> tuple[str, int] | None:
    """One end of a UDP tuple; None of any other protocol."""
    parts = dict(_attributes(told))
    ip, proto = (dict(_attributes(parts.get(kind, b""))) for kind in (TUPLE_IP, TUPLE_PROTO))
    if proto.get(NUMBER, b"\0")[0] != UDP or len(ip.get(address, b"")) != 4 or port not in proto:
        return None
    return socket.inet_ntoa(ip[address]), int.from_bytes(proto[port], "big")


def _send(asked: socket.socket, type: int, flags: int, body: bytes) -> None:
    asked.send(struct.pack("=IHHII", 20 + len(body), type, flags | REQUEST, 1, 0) + HEADER + body)


def _answers(asked: socket.socket) -> Iterator[bytes]:
    while True:
        data = asked.recv(1 << 17)
        while len(data) >= 16:
            length, kind = struct.unpack_from("=IH", data)
            content, data = data[16:length], data[length + (-length % 4) :]
            if kind == DONE:
                return
            if kind == ERROR:
                (code,) = struct.unpack_from("=i", content)
                if code not in (0, -2):  # ENOENT: it has ended by itself
                    raise OSError(-code, os.strerror(-code))
                return
            yield content


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", len(value) + 4, kind) + value + b"\0" * (-len(value) % 4)


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if length < 4:
            return
        yield kind & 0x3FFF, data[4:length]
        data = data[length + (-length % 4) :]
