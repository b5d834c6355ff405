"""What is left of a monitor once the program runs: copy its output, reap, and write down how it ended.

In: a `Post`, which says all that a start has found out, with the descriptors of pipes, log and cgroup. Out: the log,
`exit.json`. A warden stands as long as its container, and there is one over each: it knows nothing of starts, and
does its work with few objects, since every page that it writes to is memory of its own.
"""

import contextlib
import os
import signal
import time
from typing import NamedTuple

from madang.node.runtimes.monitor import limits, record, runc
from madang.node.runtimes.monitor.input import Input
from madang.node.runtimes.monitor.logfile import LogFile
from madang.node.runtimes.monitor.output import Output

WATCH_MEMORY_S = 0.2  # how often memory is looked at where no cgroup limits it


class Post(NamedTuple):
    """Plain values and descriptors, so that one process may hand it to another."""

    main: int  # the program's pid, 0: it was never made
    pids: bool  # whether we are the first process of the container's PID namespace
    limit: int  # of memory, watched here; 0: none
    started_at: float
    oci: str  # the container's name to an OCI runtime
    tty: bool
    once: bool  # the first who attaches and goes ends the program's input
    log: tuple[str, int, int]  # its name, most bytes, files
    groups: tuple[str, ...]  # names of its cgroups in `parents`
    folder: int
    log_fds: tuple[int, int]  # folder and file
    streams: tuple[int, ...]  # a terminal's outer end, or those of stdout and stderr
    parents: tuple[int, ...]
    events: int = -1  # the cgroup's counters of memory
    to_program: int = -1  # where its input goes


class Warden:
    def __init__(self, post: Post) -> None:
        self._post = post
        self._cgroup = limits.Held(post.groups, post.parents, post.events)
        self._status: int | None = None
        self._oom = False

    def stand(self) -> None:
        """The signal of children that end is heard of already; one that ended before is found by `watch`."""
        post = self._post
        self._output = Output(LogFile.taken(*post.log, *post.log_fds), post.streams)
        if post.to_program >= 0:
            self._output.take(Input(post.folder, post.to_program, once=post.once, tty=post.tty))
        signal.set_wakeup_fd(self._output.wake, warn_on_full_buffer=False)

    def watch(self) -> None:
        """Until the program has ended."""
        limit = self._post.limit
        memory = limits.Watch(self._post.pids) if limit else None
        while True:
            self._reap(os.WNOHANG)
            if self._status is not None:
                return
            if memory is not None and memory.bytes() > limit:
                self._oom = limits.end_all([self._post.main])
            self._output.copy(WATCH_MEMORY_S if limit else None)

    def rehearse(self) -> None:
        """One round of `watch` without a program, and all is put away."""
        self._reap(os.WNOHANG)
        self._output.copy(0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        self._output.close()
        post = self._post
        for fd in (post.folder, *post.log_fds, *post.streams, *post.parents, post.events):
            os.close(fd)

    def _reap(self, flags: int) -> bool:
        """False: there are no children left."""
        while True:
            try:
                pid, status = os.waitpid(-1, flags)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._post.main:
                self._status = status

    def end_everything(self) -> None:
        """SIGKILL to all that the container started, and the last word from each."""
        if self._post.pids:
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
            "startedAt": self._post.started_at,
            "finishedAt": time.time(),
            "reason": "OOMKilled" if oom else "Error" if code else "Completed",
            "message": "",
        }
        self.forget()
        record.write(self._post.folder, record.EXIT, ended)

    def _ran_out(self, number: int) -> bool:
        """Whether it was the kernel that ended it, for want of memory. Of an OCI container any process that was ended
        so counts, as on a cluster."""
        return (number == signal.SIGKILL or bool(self._post.oci)) and self._cgroup.oom_kills() > 0

    def forget(self) -> None:
        """With an OCI container, also what its runtime would take away by `delete`, without waiting for it."""
        self._cgroup.remove()
        if self._post.oci:
            os.fchdir(self._post.folder)
            runc.forget(self._post.oci)


def hear_of_children() -> None:
    """Else nobody is woken by the end of one."""
    signal.signal(signal.SIGCHLD, _woken)


def _woken(*_: object) -> None:
    """A child has ended: the descriptor that wakes has told."""
