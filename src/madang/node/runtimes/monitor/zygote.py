"""The zygote: a small Python that stands ready and forks, so that no container waits for an interpreter to start.

In: over the socket whose descriptor the command line names, one byte and a descriptor a request. Out: a forked
process that reads its request from that descriptor and answers there. The zygote keeps no state: when it dies it is
started again, and when `madang` goes (the socket closes) it goes too; what it forked stays.
"""

import gc
import os
import signal
import socket
import sys
import traceback

from madang.node.runtimes.monitor import container, oci_session, overseer, probe, session, syscalls
from madang.node.runtimes.monitor.oci_container import ContainerMonitor
from madang.node.runtimes.monitor.request import ANY, FIRST, receive, send


def main(door_fd: int) -> None:
    syscalls.name_process("madang-zygote")
    os.umask(0o022)
    os.chdir("/")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a Ctrl-C in `madang`'s terminal is `madang`'s to answer
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for what is forked here
    door = socket.socket(fileno=door_fd)
    door.set_inheritable(False)
    pids = os.open("/proc/self/ns/pid", os.O_RDONLY)
    overseer.rehearse()
    gc.collect()
    gc.freeze()
    gc.disable()
    space, flags = socket.CMSG_SPACE(4), getattr(socket, "MSG_CMSG_CLOEXEC", 0)
    while True:
        word, ancillary, _, _ = door.recvmsg(1, space, flags)  # `recv_fds` imports, and writes to pages by that
        if not word:
            return
        for _, _, fd in ancillary:
            sock = socket.socket(fileno=int.from_bytes(fd, sys.byteorder))
            serve(door, sock, pids if word == FIRST else -1, small=word != ANY)


def serve(door: socket.socket, sock: socket.socket, pids: int = -1, *, small: bool = False) -> None:
    """With `pids`, our own PID namespace, the child is the first process of a new one: a fork less than if it made
    that itself. `small`: it is to be a monitor that stays small."""
    try:
        if pids >= 0:
            syscalls.unshare(syscalls.CLONE_NEWPID)
        try:
            child = os.fork()
        finally:
            if pids >= 0 and os.getpid() != 1:
                syscalls.setns(pids, syscalls.CLONE_NEWPID)
    except OSError as error:
        send(sock, {"fault": f"no process can be made: {error}", "errno": error.errno})
        sock.close()
        return
    if child:
        sock.close()
        return
    try:
        door.close()
        overseer.run(sock) if small else answer(sock)
    except BaseException:
        send(sock, {"fault": traceback.format_exc()})
    finally:
        os._exit(0)


def answer(sock: socket.socket) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    spec, fds = receive(sock, 3)
    if spec is None:
        return
    match spec["verb"]:
        case "run":
            container.run(sock, spec, ContainerMonitor if spec.get("oci") else None)
        case "exec" if spec.get("oci"):
            oci_session.execute(sock, spec, fds)
        case "exec":
            session.execute(sock, spec, fds)
        case "probe":
            probe.run(sock, spec)
        case verb:
            raise ValueError(f"unknown verb {verb}")
