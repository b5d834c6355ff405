"""Where the API listens: on 127.0.0.1 for people, and on the bridge's address for pods, where there is a bridge.

In: the courtyard's settings, the wanted port. Out: `Listening`: sockets, and the address and port under which pods
reach the API, which need not be the port for people; or why they cannot reach it.
"""

import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from madang.porch import standing
from madang.ports.errors import Unavailable
from madang.ports.settings import Settings

HERE = "127.0.0.1"
BACKLOG = 1024
REMEMBERED = "api.port"
IP_FREEBIND = 15  # linux/in.h: bind an address that is not there yet


@dataclass(frozen=True, slots=True)
class Listening:
    """`closed` is why pods cannot reach the API; empty: they can."""

    sockets: tuple[socket.socket, ...]
    port: int
    address: str
    port_for_pods: int
    closed: str = ""


def listen(settings: Settings, port: int) -> Listening:
    """The wanted port, else the last one, else a free one."""
    first = _first(settings.home / REMEMBERED, port)
    number: int = first.getsockname()[1]
    if settings.addresses.network != "bridge":
        return Listening((first,), number, HERE, number)
    address, fault = settings.addresses.gateway_ip, ""
    for candidate in (number, 0):  # somebody may have this very port there: pods are told another
        try:
            second = bound(address, candidate)
        except OSError as error:
            fault = error.strerror or str(error)
            continue
        return Listening((first, second), number, address, second.getsockname()[1])
    closed = f"pods cannot reach the API: no port could be opened on {address}, the bridge's address ({fault})"
    return Listening((first,), number, address, number, closed)


def _first(kept: Path, port: int) -> socket.socket:
    for number in [port] if port else [*_remembered(kept), 0]:
        try:
            sock = standing.listen(HERE, number, BACKLOG)
            sock.setblocking(False)
            return sock
        except OSError as fault:
            if port:
                raise Unavailable(f"the API's port {port} cannot be opened: {fault.strerror}") from fault
    raise Unavailable("no port could be opened for the API")


def _remembered(path: Path) -> list[int]:
    """Nothing where a full disk, say, has left nothing."""
    try:
        return [int(path.read_text())]
    except (OSError, ValueError):
        return []


def bound(host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sys.platform == "linux":
            sock.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock
