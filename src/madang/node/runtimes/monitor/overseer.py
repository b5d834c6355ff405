"""A monitor that stays small: what a start needs is done by a child of it, which then goes.

A page that a forked process writes to is its own from then on, and in Python to look at an object is to write to it.
So the first process of a container's PID namespace reads nothing but a `Head` and enters its namespaces; its child,
the *starter*, reads the request, puts up the walls and runs the program, which falls to us when the starter has gone.
Between the two goes a socket: a namespace to follow into, then a `Post` with its descriptors, or nothing at all.
"""

import marshal
import os
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from madang.node.runtimes.monitor import program, syscalls
from madang.node.runtimes.monitor.container import Monitor, enter, fail, opened
from madang.node.runtimes.monitor.oci_container import ContainerMonitor
from madang.node.runtimes.monitor.request import Confinement, pack_head, receive, receive_head
from madang.node.runtimes.monitor.warden import Post, Warden, hear_of_children

MOST_BYTES, MOST_FDS = 1 << 17, 32
SPACE = socket.CMSG_SPACE(MOST_FDS * 4)
REHEARSALS = 12
PLAIN = Post._fields.index("folder")  # before it are plain values, from it on descriptors


def run(sock: socket.socket) -> None:
    """Returns once the container is over, in the monitor and in its starter."""
    head = receive_head(sock.fileno())
    if head is None:
        return
    os.setsid()
    syscalls.name_process("madang-monitor")
    fault = ""
    try:
        walls: Confinement = {"mounts": head[0], "pids": True, "user": False}
        enter(walls, head[1])
    except OSError as error:
        fault = str(program.refused(error))
    hear_of_children()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        ours.close()
        start(sock, theirs, fault)
        return
    theirs.close()
    oversee(sock, ours)


def oversee(sock: socket.socket, starter: socket.socket) -> None:
    found = taken_over(starter)
    starter.close()
    if found is None:  # it has said why, or was killed: the kernel ends what it began
        return
    post, answer, fault, began = found
    warden = Warden(post)
    if fault:
        warden.end_everything()
        warden.forget()
        fail(sock, post.folder, began, fault)
        return
    warden.stand()
    with suppress(OSError):  # who asked is gone; the next one finds the record
        sock.sendall(answer)
    sock.close()
    warden.watch()
    warden.finish()


def taken_over(starter: socket.socket) -> tuple[Post, bytes, str, float] | None:
    """What the starter hands over at its end."""
    while True:
        data, ancillary, _, _ = starter.recvmsg(MOST_BYTES, SPACE, socket.MSG_CMSG_CLOEXEC)
        fds = memoryview(ancillary[0][2]).cast("i").tolist() if ancillary else []
        if not data:
            return None
        if data == b".":
            syscalls.setns(fds[0], syscalls.CLONE_NEWIPC)
            os.close(fds[0])
            starter.send(b".")
            continue
        values, counts, answer, fault, began = marshal.loads(data)
        return _post(values, counts, fds), answer, fault, began


def _post(values: tuple[Any, ...], counts: Sequence[int], fds: list[int]) -> Post:
    """The descriptors in the order of `handed_over`."""
    streams, parents, events, to_program = counts
    to_fd = fds.pop() if to_program else -1
    events_fd = fds.pop() if events else -1
    held, rest = tuple(fds[3 : 3 + streams]), tuple(fds[3 + streams : 3 + streams + parents])
    return Post._make((*values, fds[0], (fds[1], fds[2]), held, rest, events_fd, to_fd))


def handed_over(post: Post, answer: bytes, fault: str, began: float) -> tuple[bytes, list[int]]:
    """The message that `taken_over` reads. Both ends are one program, so no form outlives them."""
    fds = [post.folder, *post.log_fds, *post.streams, *post.parents]
    fds += [fd for fd in (post.events, post.to_program) if fd >= 0]
    counts = (len(post.streams), len(post.parents), post.events >= 0, post.to_program >= 0)
    return marshal.dumps((tuple(post[:PLAIN]), counts, answer, fault, began)), fds


def rehearse() -> None:
    """What every monitor does, done before the first is forked: the interpreter writes to its code and its caches when
    it runs something for the first times, and a page that was written to before the fork is shared."""
    for _ in range(REHEARSALS):
        asked, asks = socket.socketpair()
        if (child := os.fork()) == 0:
            os._exit(0)
        with suppress(ChildProcessError):  # where nobody waits for children
            os.waitpid(child, 0)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        (out, to_out), (err, to_err) = os.pipe(), os.pipe()
        null = [os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC) for _ in range(5)]
        post = Post(1, True, 0, 0.0, "", False, False, ("log", 1 << 20, 2), ("c",), null[0], (null[1], null[2]),
                    (out, err), (null[3],), null[4])  # fmt: skip
        asks.sendall(pack_head({"confinement": {"mounts": True}, "netns": "/"}))
        receive_head(asked.fileno())
        message, fds = handed_over(post, b"", "", 0.0)
        socket.send_fds(theirs, [message], fds)
        found = taken_over(ours)
        assert found is not None
        hear_of_children()
        syscalls.name_process("madang-zygote")
        warden = Warden(found[0])
        warden.stand()
        os.write(to_out, b"a line\n")
        warden.rehearse()
        for fd in (out, to_out, err, to_err, *null):
            os.close(fd)
        for sock in (asked, asks, ours, theirs):
            sock.close()


def start(sock: socket.socket, overseer: socket.socket, fault: str) -> None:
    """The starter's life. `fault`: why there is nothing to start."""
    spec, _ = receive(sock)
    if spec is None:
        return
    began = time.time()
    folder = os.open(spec["folder"], os.O_RDONLY | os.O_DIRECTORY)
    try:
        log, cgroup = opened(spec)
    except OSError as error:
        fault = fault or str(program.refused(error))
    if fault:
        fail(sock, folder, began, fault)
        return

    def follow(namespace: int) -> None:
        socket.send_fds(overseer, [b"."], [namespace])
        if not overseer.recv(1):
            raise program.refused("the monitor has died")

    monitor: Monitor = (ContainerMonitor if spec.get("oci") else Monitor)(spec, folder, log, cgroup)
    monitor.follow = follow
    fault = monitor.begin()
    message, fds = handed_over(monitor.post(), b"" if fault else monitor.answer(), fault, began)
    socket.send_fds(overseer, [message], fds)
