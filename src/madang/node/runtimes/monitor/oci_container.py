"""The monitor over a container that an OCI runtime makes: as every monitor, but the program's process comes from runc.

In: a `RunSpec` with its `oci` part. Out: as `monitor.container`. The root (an overlay) is mounted in the monitor's own
mount namespace and its PID namespace holds the container's: whoever kills the monitor ends the container and its
mounts with it, and nothing is ever mounted on the machine itself. The runtime goes as soon as the program runs.
"""

import os
import stat
import time
from contextlib import suppress

from madang.node.runtimes.monitor import beneath, ipc, limits, program, record, runc
from madang.node.runtimes.monitor.container import Monitor
from madang.node.runtimes.monitor.logfile import LogFile
from madang.node.runtimes.monitor.request import OciSpec, RunSpec
from madang.node.runtimes.monitor.syscalls import MS_BIND, MS_REC, mount
from madang.node.runtimes.monitor.warden import Post


class ContainerMonitor(Monitor):
    """One container by an OCI runtime. The start's folder is the bundle."""

    def __init__(self, spec: RunSpec, folder: int, log: LogFile, cgroup: limits.Cgroup | None) -> None:
        super().__init__(spec, folder, log, cgroup)
        self._oci: OciSpec = spec["oci"]

    def fork(self) -> None:
        """Nothing yet: the runtime wants the root to be there."""

    def prepare(self) -> None:
        super().prepare()
        if place := self._oci.get("ipc"):
            ipc.enter(place, self._proc, self._spec["folder"], self.own(), self.follow)
        os.chdir(self._spec["folder"])
        take_over(os.path.basename(self._spec["folder"]))
        for name in self._oci["folders"]:
            os.makedirs(name, exist_ok=True)
        for name, layer in self._oci["links"].items():
            os.symlink(layer, name)
        for name, (volume, path) in self._oci.get("parts", {}).items():
            _show(volume, path, name)
        mount("overlay", runc.ROOT, "overlay", data=self._oci["options"])
        with open(runc.CONFIG, "w") as file:
            file.write(self._oci["config"])

    def launch(self) -> None:
        started = time.time()
        console = runc.listen(runc.CONSOLE) if self._spec["tty"] else None
        stdin = os.open(os.devnull, os.O_RDONLY) if console else self._stdin()
        fds = [stdin, *self._ends.inner[-2:]]
        child = os.fork()
        if child == 0:
            self._become_runtime(fds)
        self._main = runc.started(child)
        for fd in {*fds} if console is None else {stdin}:
            os.close(fd)
        if console is not None:
            self._take_terminal(runc.accept(console))
        self._cgroup = limits.Cgroup(self._oci["cgroup"])
        more = {"runtime": self._oci["runtime"]}
        kept = self._oci["cgroup"] if self._oci["cgroup"]["folders"] else None
        self._write_running(runc.outside(self._proc, self._main, self.own()), started, kept, **more)

    def _become_runtime(self, fds: list[int]) -> None:
        try:
            program.stdio(fds, False)
            program.default_signals()
            runc.execute(self._oci["runtime"], runc.run(self._spec["id"], console=self._spec["tty"]))
        finally:
            os._exit(127)

    def _take_terminal(self, terminal: int) -> None:
        self._ends.take_terminal(terminal)
        if self._spec["stdin"]:
            self._to_program = os.dup(terminal)

    def post(self) -> Post:
        if self._cgroup is None:
            with suppress(OSError):  # it is made by the runtime, or not at all
                self._cgroup = limits.Cgroup(self._oci["cgroup"])
        return super().post()._replace(oci=self._spec["id"])


def take_over(number: str) -> None:
    """What the start before had written stays, where somebody who started it again in its place said so."""
    before = f"../{int(number) - 1}" if number.isdigit() else ""
    with suppress(FileNotFoundError):
        os.unlink(f"{before}/{record.AGAIN}")
        os.rename(f"{before}/upper", "upper")


def _show(volume: str, path: str, name: str) -> None:
    """Mount a part of a volume at a name in the start's folder."""
    fd = beneath.opened(volume, path)
    try:
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            os.mkdir(name)
        else:
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600))
        mount(f"/proc/self/fd/{fd}", name, flags=MS_BIND | MS_REC)
    finally:
        os.close(fd)
