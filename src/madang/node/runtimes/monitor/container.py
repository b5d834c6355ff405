"""The monitor's life: put up the walls, run the program, copy its output, reap, and write down how it ended.

In: a `RunSpec`, and the socket that asked. Out: `running.json`, the log, `exit.json`, one answer on the socket.
Where PID namespaces are allowed the monitor is PID 1 of the container's own, so that the kernel ends everything in
it when the monitor dies, however it dies; elsewhere it is a subreaper and the program dies with it.
"""

import contextlib
import os
import signal
import socket
import time
from typing import Any

from madang.node.runtimes.monitor import limits, program, record, syscalls, walls
from madang.node.runtimes.monitor.input import Input
from madang.node.runtimes.monitor.logfile import LogFile
from madang.node.runtimes.monitor.output import Output
from madang.node.runtimes.monitor.request import CgroupSpec, Confinement, RunSpec, send

WATCH_MEMORY_S = 0.2  # how often memory is looked at where no cgroup limits it
DEAF_TO = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def run(sock: socket.socket, spec: RunSpec, kind: "type[Monitor] | None" = None) -> None:
    """In a process of its own; returns in the monitor once the container is over, and in nobody else. `kind`: another
    way to make the program's process than ours."""
    os.setsid()
    syscalls.name_process("madang-monitor")
    folder = os.open(spec["folder"], os.O_RDONLY | os.O_DIRECTORY)
    started = time.time()
    try:
        log = LogFile(spec["log"], spec["log_max_bytes"], spec["log_files"])
        cgroup = limits.Cgroup(spec["cgroup"]) if spec["cgroup"] else None
        enter(spec["confinement"], spec["netns"])
    except OSError as error:
        _fail(sock, folder, started, str(program.refused(error)))
        return
    monitor = (kind or Monitor)(spec, folder, log, cgroup)
    try:
        monitor.fork()
        monitor.prepare()
        monitor.launch()
    except (OSError, program.StartError) as error:
        text = str(error if isinstance(error, program.StartError) else program.refused(error))
        monitor.end_everything()
        monitor.forget()
        _fail(sock, folder, started, text)
        return
    send(sock, {"running": monitor.running})
    sock.close()
    monitor.watch()
    monitor.finish()


def _fail(sock: socket.socket, folder: int, started: float, text: str) -> None:
    ended = {"code": 128, "signal": 0, "startedAt": started, "finishedAt": time.time()}
    exit_record = {**ended, "reason": "StartError", "message": text}
    record.write(folder, record.EXIT, exit_record)
    send(sock, {"exit": exit_record})


def enter(walls_wanted: Confinement, netns: str) -> None:
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
    """One container. `running` is its record once the program runs."""

    def __init__(self, spec: RunSpec, folder: int, log: LogFile, cgroup: limits.Cgroup | None) -> None:
        self._spec, self._folder, self._cgroup = spec, folder, cgroup
        self._confined = spec["confinement"]
        self._proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)  # the machine's: it knows our pids outside
        self._output = Output(log, spec["tty"])
        self._main = self._go = self._told = -1
        self._status: int | None = None
        self._oom = False
        self.running: dict[str, Any] = {}

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
        self._output.forked()

    def prepare(self) -> None:
        for number in DEAF_TO:
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._output.wake, warn_on_full_buffer=False)
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

    def _write_running(self, pid: int, started: float, cgroup: CgroupSpec | None, **more: Any) -> None:
        """`pid` is its number outside."""
        own = os.readlink("self", dir_fd=self._proc)
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
        once, tty = self._spec["stdin_once"], self._spec["tty"]
        if tty:
            if self._spec["stdin"]:
                self._output.take(Input(self._folder, os.dup(self._output.terminal), once=once, tty=True))
            return os.dup(self._output.inner[0])
        if not self._spec["stdin"]:
            return os.open("/dev/null", os.O_RDONLY)
        inner, outer = os.pipe()
        self._output.take(Input(self._folder, outer, once=once, tty=False))
        return inner

    def _become_program(self, stdin: int, tell: int, wait: int, parent: int) -> None:
        try:
            signal.set_wakeup_fd(-1)
            os.write(tell, os.readlink("self", dir_fd=self._proc).encode() + b"\n")
            if self._cgroup:
                self._cgroup.join()
            if not os.read(wait, 1):  # the monitor has died, or could not put up the walls
                os._exit(128)
            who = program.identity(self._spec["user"], self._spec["groups"])
            fds = [stdin, *self._output.inner[-2:]]
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

    def watch(self) -> None:
        """Until the program has ended."""
        limit = self._spec["memory_bytes"]
        memory = limits.Watch(self._confined["pids"])
        while self._status is None:
            self._output.copy(WATCH_MEMORY_S if limit else None)
            self._reap(os.WNOHANG)
            if limit and self._status is None and memory.bytes() > limit:
                self._oom = limits.end_all([self._main])

    def _reap(self, flags: int) -> bool:
        """False: there are no children left."""
        while True:
            try:
                pid, status = os.waitpid(-1, flags)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._main:
                self._status = status

    def end_everything(self) -> None:
        """SIGKILL to all that the container started, and the last word from each."""
        if self._confined["pids"]:
            if os.getpid() != 1:  # never: but kill(-1) outside a PID namespace would end the machine
                raise RuntimeError("the monitor is not the first process of its PID namespace")
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)
            self._reap(0)
            return
        while self._reap(os.WNOHANG):  # a subreaper without children has no descendants: no walk over /proc
            if not limits.end_all(limits.descendants(os.getpid())):
                return  # it would be asked for ever
            time.sleep(0.001)

    def finish(self) -> None:
        self.end_everything()
        self._output.drain()
        status = self._status or 0
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        code = 128 + number if number else os.WEXITSTATUS(status)
        oom = self._oom or self._ran_out(number)
        ended = {
            "code": code,
            "signal": number,
            "startedAt": self.running["startedAt"],
            "finishedAt": time.time(),
            "reason": "OOMKilled" if oom else "Error" if code else "Completed",
            "message": "",
        }
        self.forget()
        record.write(self._folder, record.EXIT, ended)

    def _ran_out(self, number: int) -> bool:
        """Whether it was the kernel that ended it, for want of memory."""
        return number == signal.SIGKILL and self._cgroup is not None and self._cgroup.oom_kills() > 0

    def forget(self) -> None:
        if self._cgroup:
            self._cgroup.remove()
