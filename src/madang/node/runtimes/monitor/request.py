"""What the control process asks for: requests and answers as length-prefixed JSON over a socket of their own.

`run` makes a monitor, `exec` a session in a running container, `probe` tries a confinement. The shapes are plain
dicts of JSON, declared here once for both sides.
"""

import json
import os
import socket
from typing import Any, NotRequired, TypedDict


class Confinement(TypedDict):
    """Which walls stand around a container. `user`: made by an ordinary user, through a user namespace. `ids`: who
    one is in it, where not whom the monitor is taken for."""

    mounts: bool
    pids: bool
    user: bool
    ids: NotRequired[list[int]]


class MountSpec(TypedDict):
    source: str
    target: str
    read_only: bool
    tmpfs: bool
    size_bytes: int | None


class CgroupSpec(TypedDict):
    """`folders` are made by the monitor and removed after the last process; `files` are limits: path -> value."""

    folders: list[str]
    files: dict[str, str]
    memory: str  # the folder whose counters tell of an out-of-memory kill; empty: none


class OciSpec(TypedDict):
    """A container by an OCI runtime. All paths are names in the start's folder, which is the bundle."""

    runtime: str  # the program
    config: str  # the document as it is written: as objects it would stay in the monitor's memory
    links: dict[str, str]  # to the image's layers
    folders: list[str]
    options: str  # of the overlay
    cgroup: CgroupSpec
    parts: NotRequired[dict[str, list[str]]]  # of volumes: a name in the folder -> the volume, the path in it
    ipc: NotRequired[str]  # the pod's file of who shares its IPC namespace; without it the container has its own


class RunSpec(TypedDict):
    verb: str  # run, exec or probe
    id: str
    folder: str
    argv: list[str]
    env: dict[str, str]
    cwd: str
    log: str
    log_max_bytes: int
    log_files: int
    mounts: list[MountSpec]
    hostname: str
    netns: str
    hide: list[str]  # mounts of the machine that this container must not hold on to
    user: str
    groups: list[int]
    stdin: bool
    stdin_once: bool
    tty: bool
    cgroup: CgroupSpec | None
    memory_bytes: int | None  # watched by the monitor: set where no cgroup can limit it
    confinement: Confinement
    oci: NotRequired[OciSpec]


class OciExec(TypedDict):
    """A process in a container that an OCI runtime made."""

    runtime: str
    folder: str
    id: str
    process: dict[str, Any]


class ExecSpec(TypedDict):
    verb: str
    pid: int  # of the monitor
    argv: list[str]
    env: dict[str, str]
    cwd: str
    user: str
    groups: list[int]
    tty: bool
    cgroup: NotRequired[list[str]]
    confinement: Confinement
    oci: NotRequired[OciExec]


# What is said at the zygote's door: make any process; one whose request begins with a head, since it is to stay small;
# such a one as the first of a PID namespace.
ANY, SMALL, FIRST = b".", b"s", b"1"


def pack_head(request: Any) -> bytes:
    """What a monitor must know that reads nothing else of its request: whether it has mounts of its own, and the path
    of its network namespace."""
    data = (b"1" if request["confinement"]["mounts"] else b"0") + os.fsencode(request["netns"])
    return len(data).to_bytes(4, "big") + data


def receive_head(fd: int) -> tuple[bool, bytes] | None:
    """None: who asked is gone. It was sent at once, and is shorter than what a socket takes whole."""
    size = os.read(fd, 4)
    data = os.read(fd, int.from_bytes(size, "big")) if size else b""
    return (data[:1] == b"1", data[1:]) if data else None


def pack(message: Any) -> bytes:
    data = json.dumps(message).encode()
    return len(data).to_bytes(4, "big") + data


def send(sock: socket.socket, message: Any) -> None:
    """A reader that is gone is nobody's loss."""
    try:
        sock.sendall(pack(message))
    except OSError:
        return


def receive(sock: socket.socket, fd_count: int = 0) -> tuple[Any, list[int]]:
    """One message (None at the end), and the descriptors that came with its first bytes."""
    head, fds, _, _ = socket.recv_fds(sock, 4, fd_count, getattr(socket, "MSG_CMSG_CLOEXEC", 0))
    while 0 < len(head) < 4:
        head += sock.recv(4 - len(head))
    if not head:
        return None, fds
    rest, data = int.from_bytes(head, "big"), bytearray()
    while len(data) < rest:
        chunk = sock.recv(min(rest - len(data), 1 << 16))
        if not chunk:
            raise ConnectionResetError("the request was cut short")
        data += chunk
    return json.loads(data), fds


def close_all(fds: list[int]) -> None:
    for fd in fds:
        os.close(fd)
