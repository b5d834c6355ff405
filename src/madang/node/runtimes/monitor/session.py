"""An exec: one more process inside a running container, for as long as somebody is connected.

In: an `ExecSpec`, the socket that asked, and three descriptors for stdin, stdout and stderr (or one terminal, three
times). Out: `{"started": true}` or `{"error": ...}`, then `{"code": n}`. When the socket closes first, the process
is killed.
"""

import os
import select
import signal
import socket
from collections.abc import Callable

from madang.node.runtimes.monitor import limits, program, syscalls
from madang.node.runtimes.monitor.request import Confinement, ExecSpec, close_all, send

JOINED = (("net", syscalls.CLONE_NEWNET), ("uts", syscalls.CLONE_NEWUTS), ("mnt", syscalls.CLONE_NEWNS))


def execute(sock: socket.socket, spec: ExecSpec, fds: list[int]) -> None:
    os.setsid()
    joins = [os.open(f"{folder}/cgroup.procs", os.O_WRONLY) for folder in spec.get("cgroup", [])]
    told, tell = os.pipe()
    try:
        join(spec["pid"], spec["confinement"])
    except OSError as error:
        send(sock, {"error": f"the container cannot be entered: {error}"})
        return
    if not spec["confinement"]["pids"]:
        syscalls.prctl(syscalls.PR_SET_CHILD_SUBREAPER, 1)
    child = os.fork()
    if child == 0:
        _become(spec, fds, joins, tell)
    os.close(tell)
    close_all(fds)
    close_all(joins)
    fault = b""
    while chunk := os.read(told, 4096):
        fault += chunk
    if fault:
        os.waitpid(child, 0)
        send(sock, {"error": fault.decode()})
        return
    send(sock, {"started": True})
    watch(sock, child)
    if not spec["confinement"]["pids"]:
        _end_orphans()


def join(pid: int, confinement: Confinement) -> None:
    """Into the namespaces of a monitor; its user namespace first, since it holds the right to the others."""
    wanted = [pair for pair in JOINED if pair[0] == "net" or confinement["mounts"]]
    if confinement["pids"]:
        wanted.insert(0, ("pid", syscalls.CLONE_NEWPID))
    if confinement["user"] and (confinement["mounts"] or confinement["pids"]):
        # the network belongs to the user namespace around it, whose rights are lost on the way in
        others = [pair for pair in wanted if pair[0] != "net"]
        wanted = [JOINED[0], ("user", syscalls.CLONE_NEWUSER), *others]
    opened = [(os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY), kind) for name, kind in wanted]
    for fd, kind in opened:
        if kind != syscalls.CLONE_NEWNET or not _same_net(fd):
            syscalls.setns(fd, kind)
        os.close(fd)


def _same_net(fd: int) -> bool:
    """Entering one's own network namespace would need a right that an ordinary user lacks."""
    there, here = os.fstat(fd), os.stat("/proc/self/ns/net")
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


def _become(spec: ExecSpec, fds: list[int], joins: list[int], tell: int) -> None:
    try:
        for fd in joins:
            os.write(fd, b"0")
        who = program.identity(spec["user"], spec["groups"])
        if spec["tty"] and who is not None and os.getuid() == 0:
            os.fchown(fds[0], who[0], who[1])
        program.stdio(fds, spec["tty"])
        program.stand(spec["cwd"])
        program.become(who)
        program.default_signals()
        program.execute(spec["argv"], spec["env"])
    except program.StartError as error:
        os.write(tell, str(error).replace(program.PREFIX, "").removesuffix(": unknown").encode())
    except BaseException as error:
        os.write(tell, str(error).encode())
    finally:
        os._exit(126)


def watch(sock: socket.socket, child: int, end: Callable[[int], None] | None = None) -> None:
    """Until the process has ended; a closed socket ends it, by `end`."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    poll = select.poll()
    poll.register(woken, select.POLLIN)
    poll.register(sock, select.POLLIN)
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            break
        for fd, _ in poll.poll():
            if fd == woken:
                os.read(woken, 512)
            else:
                poll.unregister(sock)
                (end or _kill)(child)
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    send(sock, {"code": 128 + number if number else os.WEXITSTATUS(status)})


def _kill(child: int) -> None:
    for target in (-child, child):
        try:
            os.kill(target, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # gone, or somebody else by now
            continue


def _end_orphans() -> None:
    for pid in limits.descendants(os.getpid()):
        _kill(pid)
