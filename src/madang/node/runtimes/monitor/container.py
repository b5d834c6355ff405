"""How a monitor begins: put up the walls, run the program, write down that it runs.

In: a `RunSpec`, and the socket that asked. Out: `running.json`, and a `Post` for whoever watches (`warden.py`).
Where PID namespaces are allowed the monitor is PID 1 of the container's own, so that the kernel ends everything in
it when the monitor dies, however it dies; elsewhere it is a subreaper and the program dies with it. Where the monitor
is to be small, all this is done by a process of its own, which then goes (`overseer.py`).
"""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

from madang.node.runtimes.monitor import limits, program, record, syscalls, walls
from madang.node.runtimes.monitor.logfile import LogFile
from madang.node.runtimes.monitor.output import Ends
from madang.node.runtimes.monitor.request import CgroupSpec, Confinement, RunSpec, pack, send
from madang.node.runtimes.monitor.warden import Post, Warden, hear_of_children

DEAF_TO = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def run(sock: socket.socket, spec: RunSpec, kind: "type[Monitor] | None" = None) -> None:
    """The monitor's whole life in one process; returns in the monitor once the container is over, and in nobody else.
    `kind`: another way to make the program's process than ours."""
    os.setsid()
    syscalls.name_process("madang-monitor")
    started = time.time()
    folder = os.open(spec["folder"], os.O_RDONLY | os.O_DIRECTORY)
    try:
        log, cgroup = opened(spec)
        enter(spec["confinement"], spec["netns"])
    except OSError as error:
        fail(sock, folder, started, str(program.refused(error)))
        return
    monitor = (kind or Monitor)(spec, folder, log, cgroup)
    fault = monitor.begin()
    warden = Warden(monitor.post())
    if fault:
        warden.end_everything()
        warden.forget()
        fail(sock, folder, started, fault)
        return
    hear_of_children()
    warden.stand()
    sock.sendall(monitor.answer())
    sock.close()
    warden.watch()
    warden.finish()


def opened(spec: RunSpec) -> tuple[LogFile, limits.Cgroup | None]:
    """What the walls may hide."""
    log = LogFile(spec["log"], spec["log_max_bytes"], spec["log_files"])
    return log, limits.Cgroup(spec["cgroup"]) if spec["cgroup"] else None


def fail(sock: socket.socket, folder: int, started: float, text: str) -> None:
    ended = {"code": 128, "signal": 0, "startedAt": started, "finishedAt": time.time()}
    exit_record = {**ended, "reason": "StartError", "message": text}
    record.write(folder, record.EXIT, exit_record)
    send(sock, {"exit": exit_record})


def enter(walls_wanted: Confinement, netns: str | bytes) -> None:
    """Into new namespaces; with a PID namespace, returns only in its first process."""
    flags = 0
    if netns:
        fd = os.open(netns, os.O_RDONLY)
        syscalls.setns(fd, syscalls.CLONE_NEWNET)
        os.close(fd)
    if walls_wanted["mounts"]:
        flags |= syscalls.CLONE_NEWNS | syscalls.CLONE_NEWUTS
    first = os.getpid() == 1  # the zygote has made the PID namespace already
    if walls_wanted["pids"] and not first:
        flags |= syscalls.CLONE_NEWPID
    if walls_wanted["user"] and flags:
        flags |= syscalls.CLONE_NEWUSER
    if not flags:
        return
    uid, gid = os.geteuid(), os.getegid()
    syscalls.unshare(flags)
    if walls_wanted["user"]:
        who, whose = walls_wanted.get("ids") or (uid, gid)
        for name, text in (("setgroups", "deny"), ("uid_map", f"{who} {uid} 1"), ("gid_map", f"{whose} {gid} 1")):
            fd = os.open(f"/proc/self/{name}", os.O_WRONLY)
            os.write(fd, text.encode())
            os.close(fd)
    if walls_wanted["pids"] and not first and os.fork():
        os._exit(0)


class Monitor:
    """One container's start. `running` is its record once the program runs. With `follow`, our parent is who will
    watch it, and this takes him along into a namespace."""

    def __init__(self, spec: RunSpec, folder: int, log: LogFile, cgroup: limits.Cgroup | None) -> None:
        self._spec, self._folder, self._log, self._cgroup = spec, folder, log, cgroup
        self._confined = spec["confinement"]
        self._proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)  # the machine's: it knows our pids outside
        self._ends = Ends(spec["tty"])
        self._main, self._go, self._told, self._to_program = 0, -1, -1, -1
        self.follow: Callable[[int], None] | None = None
        self.running: dict[str, Any] = {}

    def begin(self) -> str:
        """Empty, or why it could not be started."""
        try:
            self.fork()
            self.prepare()
            self.launch()
        except (OSError, program.StartError) as error:
            return str(error if isinstance(error, program.StartError) else program.refused(error))
        return ""

    def answer(self) -> bytes:
        return pack({"running": self.running})

    def post(self) -> Post:
        spec, log, held = self._spec, self._log, self._cgroup or limits.NONE
        return Post(
            main=self._main,
            pids=self._confined["pids"],
            limit=spec["memory_bytes"] or 0,
            started_at=self.running.get("startedAt", 0.0),
            oci="",
            tty=spec["tty"],
            once=spec["stdin_once"],
            log=(log.name, log.max_bytes, log.files),
            groups=held.names,
            folder=self._folder,
            log_fds=(log.folder, log.fd),
            streams=tuple(self._ends.outer),
            parents=held.parents,
            events=held.events,
            to_program=self._to_program,
        )

    def fork(self) -> None:
        """The program's process: going into its cgroup may take the kernel 10 ms, and the walls go up meanwhile."""
        stdin = self._stdin()
        self._told, tell = os.pipe()
        wait, self._go = os.pipe()
        parent = os.getpid()
        self._main = os.fork()
        if self._main == 0:
            os.close(self._go)
            self._become_program(stdin, tell, wait, parent)
        for fd in (tell, wait, stdin):
            os.close(fd)
        self._ends.forked()

    def prepare(self) -> None:
        for number in DEAF_TO:
            signal.signal(number, signal.SIG_IGN)
        if not self._confined["pids"]:
            syscalls.prctl(syscalls.PR_SET_CHILD_SUBREAPER, 1)
        if self._confined["mounts"]:
            if self._spec["hostname"]:
                socket.sethostname(self._spec["hostname"])
            walls.apart(self._spec["hide"])
            if self._spec["mounts"]:
                staging = os.path.join(self._spec["folder"], "root")
                os.makedirs(staging, exist_ok=True)
                walls.build(self._spec["mounts"], self._spec["cwd"], staging)
            if self._confined["pids"]:
                walls.own_proc()

    def launch(self) -> None:
        """Let the child go; it tells its pid outside, then either nothing more or why it could not be exec'd."""
        started = time.time()
        with contextlib.suppress(BrokenPipeError):  # it has died, and has told why
            os.write(self._go, b"!")
        os.close(self._go)
        text = b""
        while chunk := os.read(self._told, 4096):
            text += chunk
        os.close(self._told)
        pid, _, fault = text.decode().partition("\n")
        if fault or not pid:
            raise program.StartError(fault or str(program.refused("the new process has died")))
        self._write_running(int(pid), started, self._spec["cgroup"])

    def own(self) -> str:
        """The warden's pid on the machine."""
        own = os.readlink("self", dir_fd=self._proc)
        return own if self.follow is None else record.parent(own, self._proc)

    def _write_running(self, pid: int, started: float, cgroup: CgroupSpec | None, **more: Any) -> None:
        """`pid` is its number outside."""
        own = self.own()
        self.running = {
            "id": self._spec["id"],
            "pid": pid,
            "startedTicks": record.ticks(pid, self._proc) or 0,
            "startedAt": started,
            "monitorPid": int(own),
            "monitorTicks": record.ticks(own, self._proc) or 0,
            "confinement": self._confined,
            "cgroup": cgroup,
            **more,
        }
        record.write(self._folder, record.RUNNING, self.running)
        record.reserve(self._folder, record.EXIT)

    def _stdin(self) -> int:
        """The program's end."""
        if self._spec["tty"]:
            if self._spec["stdin"]:
                self._to_program = os.dup(self._ends.outer[0])
            return os.dup(self._ends.inner[0])
        if not self._spec["stdin"]:
            return os.open("/dev/null", os.O_RDONLY)
        inner, self._to_program = os.pipe()
        return inner

    def _become_program(self, stdin: int, tell: int, wait: int, parent: int) -> None:
        try:
            os.write(tell, os.readlink("self", dir_fd=self._proc).encode() + b"\n")
            if self._cgroup:
                self._cgroup.join()
            if not os.read(wait, 1):  # the monitor has died, or could not put up the walls
                os._exit(128)
            who = program.identity(self._spec["user"], self._spec["groups"])
            fds = [stdin, *self._ends.inner[-2:]]
            for fd in fds[1:] if not self._spec["tty"] else fds:
                if who is not None and os.getuid() == 0:
                    os.fchown(fd, who[0], who[1])  # so that it can open /dev/stdout
            program.stdio(fds, self._spec["tty"])
            program.stand(self._spec["cwd"])
            program.become(who)
            program.default_signals()
            if not self._confined["pids"]:
                program.die_with_parent(parent)
            program.execute(self._spec["argv"], self._spec["env"])
        except program.StartError as error:
            os.write(tell, str(error).encode())
        except BaseException as error:
            os.write(tell, str(program.refused(error)).encode())
        finally:
            os._exit(128)
