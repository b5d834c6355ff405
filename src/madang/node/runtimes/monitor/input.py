"""What those who attach write, on its way to the program: from the FIFO `stdin` in the start's folder.

In: the FIFO, and where to write (a pipe, or the terminal's outer end). Out: bytes, in order, never more than one
batch in memory: while the program doesn't read, the writer waits. The program sees an end of input only with `once`,
when the first who attached has gone; else it waits for the next.
"""

import contextlib
import os
import select

CHUNK = 16 * 1024
END_OF_TRANSMISSION = b"\x04"


class Input:
    def __init__(self, folder: int, to: int, *, once: bool, tty: bool) -> None:
        with contextlib.suppress(FileExistsError):
            os.mkfifo("stdin", 0o600, dir_fd=folder)
        os.set_blocking(to, False)
        self._folder, self._to, self._once, self._tty = folder, to, once, tty
        self._from = self._open()
        self._rest = b""

    def _open(self) -> int:
        return os.open("stdin", os.O_RDONLY | os.O_NONBLOCK, dir_fd=self._folder)

    def register(self, poll: "select.poll") -> None:
        poll.register(self._from, select.POLLIN)

    def handle(self, fd: int, poll: "select.poll") -> bool:
        """Whether the event was for us."""
        if fd == self._from:
            self._take(poll)
            return True
        if fd == self._to and self._rest:
            self._flush()
            if not self._rest:
                poll.unregister(self._to)
                poll.register(self._from, select.POLLIN)
            return True
        return False

    def _take(self, poll: "select.poll") -> None:
        try:
            self._rest = os.read(self._from, CHUNK)
        except BlockingIOError:
            return
        if not self._rest:
            self._gone(poll)
            return
        self._flush()
        if self._rest:
            poll.unregister(self._from)
            poll.register(self._to, select.POLLOUT)

    def _flush(self) -> None:
        try:
            self._rest = self._rest[os.write(self._to, self._rest) :]
        except BlockingIOError:
            return
        except OSError:  # the program has closed its input
            self._rest = b""

    def _gone(self, poll: "select.poll") -> None:
        """The last writer has closed. The next is let in before the old end goes, so that none finds it closed."""
        poll.unregister(self._from)
        old = self._from
        if self._once:
            self._from = -1
            if self._tty:
                with contextlib.suppress(OSError):
                    os.write(self._to, END_OF_TRANSMISSION)
            os.close(self._to)
            self._to = -1
        else:
            self._from = self._open()
            self.register(poll)
        os.close(old)
