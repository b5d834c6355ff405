"""An exec in a container that an OCI runtime made, for as long as somebody is connected.

In: an `ExecSpec` with its `oci` part, the socket that asked, three descriptors. Out: as `monitor.session`; with a
terminal, its outer end goes back with the first answer. Between us and the program stands one process in the
monitor's namespaces: there the runtime is called, and there the program's end is seen.
"""

import os
import signal
import socket
from contextlib import suppress
from types import FrameType

from madang.node.runtimes.monitor import program, runc, syscalls
from madang.node.runtimes.monitor.request import ExecSpec, OciExec, close_all, pack, send
from madang.node.runtimes.monitor.session import join, watch


def execute(sock: socket.socket, spec: ExecSpec, fds: list[int]) -> None:
    os.setsid()
    try:
        join(spec["pid"], spec["confinement"])
    except OSError as error:
        send(sock, {"error": f"the container cannot be entered: {error}"})
        return
    child = os.fork()
    if child == 0:
        try:
            Between(sock, spec["oci"], spec["tty"]).live(fds)
        finally:
            os._exit(255)
    close_all(fds)
    watch(sock, child, _end)


def _end(child: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGTERM)


class Between:
    """The process that stands over the exec'd program. SIGTERM: end it."""

    def __init__(self, sock: socket.socket, spec: OciExec, tty: bool) -> None:
        self._sock, self._spec, self._tty = sock, spec, tty
        self._program, self._over = 0, False

    def live(self, fds: list[int]) -> None:
        """Never returns."""
        signal.signal(signal.SIGTERM, self._ended)
        syscalls.prctl(syscalls.PR_SET_CHILD_SUBREAPER, 1)
        try:
            self._program, terminal = self._call(fds)
        except (program.StartError, OSError) as error:
            text = str(error).replace(program.PREFIX, "").removesuffix(": unknown")
            send(self._sock, {"error": text})
            os._exit(126)
        if self._over:
            runc.kill(self._program)
        close_all(fds)
        with suppress(OSError):
            socket.send_fds(self._sock, [pack({"started": True})], [terminal] if terminal >= 0 else [])
        if terminal >= 0:
            os.close(terminal)
        os._exit(self._wait())

    def _ended(self, number: int, frame: FrameType | None) -> None:
        self._over = True
        if self._program:
            runc.kill(self._program)

    def _call(self, fds: list[int]) -> tuple[int, int]:
        """(pid of the program, its terminal or -1)."""
        os.chdir(self._spec["folder"])
        names = {kind: f"exec-{os.getpid()}.{kind}" for kind in ("json", "pid", "log", "sock")}
        console = names["sock"] if self._tty else ""
        try:
            with open(names["json"], "wb") as file:
                file.write(pack(self._spec["process"])[4:])
            listening = runc.listen(console) if console else None
            child = os.fork()
            if child == 0:
                self._become_runtime(fds, runc.exec(self._spec["id"], *_files(names), console))
            found = runc.started(child, names["pid"], names["log"])
            return found, runc.accept(listening) if listening else -1
        finally:
            for name in names.values():
                with suppress(OSError):
                    os.unlink(name)

    def _become_runtime(self, fds: list[int], argv: list[str]) -> None:
        try:
            program.stdio(fds, False)
            program.default_signals()
            runc.execute(self._spec["runtime"], argv)
        finally:
            os._exit(127)

    def _wait(self) -> int:
        """The program's exit code, once nobody is left whom it had left to us."""
        code = 0
        while True:
            try:
                pid, status = os.waitpid(-1, 0)
            except ChildProcessError:
                return code
            if pid == self._program:
                return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _files(names: dict[str, str]) -> tuple[str, str, str]:
    return names["json"], names["pid"], names["log"]
