"""The program's stdout and stderr on their way into the log: pipes, or one terminal.

In: descriptors that the program writes to (`Ends.inner`). Out: entries in the log, by `Output.copy` while it runs and
`drain` after its end. `wake` is written to by signals, so that a `copy` that waits returns.
"""

import os
import select
import time
from collections.abc import Sequence

from madang.node.runtimes.monitor.input import Input
from madang.node.runtimes.monitor.logfile import Lines, LogFile

CHUNK = 64 * 1024


class Ends:
    """Pipes or a terminal, as yet without anybody who reads: `inner` are the program's ends, `outer` ours."""

    def __init__(self, tty: bool) -> None:
        if tty:
            outer, inner = os.openpty()
            self.inner, self.outer = [inner, inner], [outer]
        else:
            out, to_out = os.pipe()
            err, to_err = os.pipe()
            self.inner, self.outer = [to_out, to_err], [out, err]

    def forked(self) -> None:
        """The program has its own copies of the inner ends."""
        for fd in set(self.inner):
            os.close(fd)

    def take_terminal(self, terminal: int) -> None:
        """Somebody else has made the terminal: its outer end takes the place of ours."""
        for fd in {*self.outer, *self.inner}:
            os.close(fd)
        self.outer = [terminal]


class Output:
    """`streams` is a terminal's outer end, or those of stdout and stderr."""

    def __init__(self, log: LogFile, streams: Sequence[int]) -> None:
        self._log = log
        self._woken, self.wake = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(self._woken, False)
        self._streams = {fd: Lines(name) for fd, name in zip(streams, ("stdout", "stderr"))}
        self._input: Input | None = None
        self._poll = select.poll()
        self._poll.register(self._woken, select.POLLIN)
        for fd in self._streams:
            os.set_blocking(fd, False)
            self._poll.register(fd, select.POLLIN)

    def take(self, input: Input) -> None:
        """Also what goes the other way."""
        self._input = input
        input.register(self._poll)

    def copy(self, timeout_s: float | None) -> None:
        """Wait for output or a signal, at most so long, and take what is there."""
        for fd, _ in self._poll.poll(None if timeout_s is None else timeout_s * 1000):
            if fd == self._woken:
                self._take(fd)
            elif self._input is not None and self._input.handle(fd, self._poll):
                continue
            elif not self._move(fd):
                self._poll.unregister(fd)

    def _move(self, fd: int) -> bool:
        """One batch; False at the stream's end."""
        data = self._take(fd)
        if data:
            self._log.append(self._streams[fd].feed(data, time.time_ns()))
        return data != b""

    @staticmethod
    def _take(fd: int) -> bytes | None:
        try:
            return os.read(fd, CHUNK)
        except BlockingIOError:
            return None
        except OSError:  # EIO: the last one has closed the terminal
            return b""

    def drain(self) -> None:
        """What lies in the pipes after everyone who could write is gone."""
        for fd, lines in self._streams.items():
            while self._move(fd):
                if not select.select([fd], [], [], 0)[0]:
                    break
            self._log.append(lines.end(time.time_ns()))
        self._log.close()

    def close(self) -> None:
        os.close(self._woken)
        os.close(self.wake)
