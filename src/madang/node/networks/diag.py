"""Who listens, asked of the kernel directly (sock_diag): a twentieth of a millisecond.

In: a process, whose network namespace is meant. Out: its listening TCP sockets, or OSError where the kernel cannot be
asked. /proc/net/tcp says the same, but walks through a table of all connections that there could be: eight
milliseconds for each family on a large machine, for each look at a port that is about to open.
Layouts: sock_diag(7), linux/inet_diag.h.
"""

import os
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from madang.node.runtimes.monitor import syscalls

NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY = 4, 20
REQUEST_DUMP = 0x301
ERROR, DONE = 2, 3
LISTEN_ONLY = 1 << 10  # states, as bits
HEAD = struct.Struct("=IHHII")  # length, type, flags, sequence, port
MESSAGE_BYTES = 72  # of one socket, its inode last
MAPPED = bytes(10) + b"\xff\xff"  # an IPv4 address in an IPv6 socket


class Listener(NamedTuple):
    ip: str
    port: int
    inode: int


def listening(pid: int | str) -> list[Listener]:
    """In the namespace of `pid`; "self" is ours, and needs no right."""
    with _opened(pid) as asked:
        return [one for family in (socket.AF_INET, socket.AF_INET6) for one in _ask(asked, family)]


def _opened(pid: int | str) -> socket.socket:
    """A socket belongs to the namespace that it is opened in, for ever: the thread is there for no longer than that."""
    if pid == "self":
        return _socket()
    there = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        here = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            syscalls.setns(there, syscalls.CLONE_NEWNET)
            try:
                return _socket()
            finally:
                syscalls.setns(here, syscalls.CLONE_NEWNET)
        finally:
            os.close(here)
    finally:
        os.close(there)


def _socket() -> socket.socket:
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_SOCK_DIAG)


def _ask(asked: socket.socket, family: int) -> Iterator[Listener]:
    request = struct.pack("=BBBxI48x", family, socket.IPPROTO_TCP, 0, LISTEN_ONLY)
    head = HEAD.pack(HEAD.size + len(request), SOCK_DIAG_BY_FAMILY, REQUEST_DUMP, 1, 0)
    asked.sendto(head + request, (0, 0))
    while True:
        data = asked.recv(1 << 16)
        at = 0
        while at < len(data):
            length, kind, _, _, _ = HEAD.unpack_from(data, at)
            body = at + HEAD.size
            if kind == DONE:
                return
            if kind == ERROR:
                (number,) = struct.unpack_from("=i", data, body)
                raise OSError(-number, os.strerror(-number), "sock_diag")
            if length >= HEAD.size + MESSAGE_BYTES:
                yield _listener(data, body, family)
            at += (length + 3) & ~3


def _listener(data: bytes, at: int, family: int) -> Listener:
    (port,) = struct.unpack_from(">H", data, at + 4)
    (inode,) = struct.unpack_from("=I", data, at + 68)
    raw = data[at + 8 : at + 24]
    if family == socket.AF_INET:
        return Listener(socket.inet_ntop(family, raw[:4]), port, inode)
    if raw.startswith(MAPPED):
        return Listener(socket.inet_ntop(socket.AF_INET, raw[12:]), port, inode)
    return Listener(socket.inet_ntop(family, raw), port, inode)
