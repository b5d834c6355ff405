"""A running exec as the house's `Process`: pipes or a terminal held here, the program in its container.

In: a request for the zygote. Out: bytes by stream, an exit code. Nothing is copied by anybody in between, and no
task runs by itself: reading waits for the descriptors that are open.
"""

import asyncio
import fcntl
import os
import signal
import struct
import termios
from collections.abc import Callable
from typing import Any

from madang.node.runtimes.zygote import Zygote, receive
from madang.ports.errors import StatusError

CHUNK = 32 * 1024
END_OF_TRANSMISSION = b"\x04"


class Session:
    """`outputs` maps stream numbers (1, 2) to what we read from; `stdin` is what we write to."""

    def __init__(self, outputs: dict[int, int], stdin: int | None, tty: bool) -> None:
        self._outputs, self._stdin, self._tty = outputs, stdin, tty
        self._code: asyncio.Task[int] | None = None
        self._socket: Any = None
        self._waits: set[asyncio.Future[None]] = set()  # of who reads or writes now
        for fd in {*outputs.values(), *([] if stdin is None else [stdin])}:
            os.set_blocking(fd, False)

    async def begin(self, zygote: Zygote, request: Any, inner: list[int]) -> None:
        """Raises StatusError in the words of a cluster where the command can't be run."""
        try:
            self._socket = await zygote.open(request, inner)
        finally:
            for fd in set(inner):
                os.close(fd)
        await self._told(await receive(self._socket))

    async def _told(self, answer: dict[str, Any] | None) -> None:
        answer = answer or {"error": "the session ended before it began"}
        if "started" not in answer:
            await self.close()
            text = answer.get("error") or answer.get("fault", "")
            raise StatusError(
                "error executing command in container: failed to exec in container: OCI runtime exec failed: "
                f"exec failed: unable to start container process: {text}: unknown"
            )

    async def read(self) -> tuple[int, bytes] | None:
        while self._outputs:
            for stream, fd in list(self._outputs.items()):
                try:
                    data = os.read(fd, CHUNK)
                except BlockingIOError:
                    continue
                except OSError:  # EIO: nobody has the terminal open any more
                    data = b""
                if data:
                    return stream, data
                self._end(stream)
            if self._outputs:
                loop = asyncio.get_running_loop()
                await self._until(list(self._outputs.values()), loop.add_reader, loop.remove_reader)
        return None

    def _end(self, stream: int) -> None:
        fd = self._outputs.pop(stream)
        if fd == self._stdin:
            self._stdin = None
        os.close(fd)

    async def write(self, data: bytes) -> None:
        loop, rest = asyncio.get_running_loop(), memoryview(data)
        while rest and self._stdin is not None:
            try:
                rest = rest[os.write(self._stdin, rest) :]
            except BlockingIOError:
                await self._until([self._stdin], loop.add_writer, loop.remove_writer)
            except OSError:  # the program no longer reads
                return

    async def close_stdin(self) -> None:
        if self._stdin is None:
            return
        if self._tty:
            await self.write(END_OF_TRANSMISSION)
            return
        os.close(self._stdin)
        self._stdin = None

    async def resize(self, columns: int, rows: int) -> None:
        if self._tty and 1 in self._outputs:
            fcntl.ioctl(self._outputs[1], termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def wait(self) -> int:
        """Any number of callers; 137 where the session was closed or killed before its program ended."""
        if self._code is None:
            self._code = asyncio.create_task(self._ended(), name="exit code of a session")
        return await asyncio.shield(self._code)

    async def _ended(self) -> int:
        try:
            answer = await receive(self._socket) if self._socket else None
            return int(answer["code"]) if answer else 128 + signal.SIGKILL
        except (OSError, asyncio.CancelledError):  # by `close`
            return 128 + signal.SIGKILL

    async def close(self) -> None:
        """Who reads, writes or waits now meets the end; only then the descriptors go, since their numbers are given
        again at once."""
        outputs, self._outputs, stdin, self._stdin = self._outputs, {}, self._stdin, None
        try:
            if self._code is not None and not self._code.done():
                self._code.cancel()
                await asyncio.wait({self._code})
            for wait in self._waits:
                if not wait.done():
                    wait.set_result(None)
            while self._waits:  # noqa: ASYNC110 (they wake in the loop's next turn)
                await asyncio.sleep(0)
        finally:
            if self._socket is not None:
                self._socket.close()
                self._socket = None
            for fd in {*outputs.values(), *([] if stdin is None else [stdin])}:
                os.close(fd)

    async def _until(self, fds: list[int], add: Callable[..., Any], remove: Callable[[int], Any]) -> None:
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waits.add(ready)
        try:
            await until_any(fds, add, remove, ready)
        finally:
            self._waits.discard(ready)


def streams(stdin: bool, tty: bool) -> tuple[Session, list[int]]:
    """A session's outer ends, and the three descriptors for the program."""
    if tty:
        outer, inner = os.openpty()
        return Session({1: outer}, outer, True), [inner, inner, inner]
    out, to_out = os.pipe()
    err, to_err = os.pipe()
    if stdin:
        from_in, to_in = os.pipe()
        return Session({1: out, 2: err}, to_in, False), [from_in, to_out, to_err]
    return Session({1: out, 2: err}, None, False), [os.open("/dev/null", os.O_RDONLY), to_out, to_err]


async def until_any(
    fds: list[int],
    add: Callable[..., Any],
    remove: Callable[[int], Any],
    ready: "asyncio.Future[None] | None" = None,
) -> None:
    """Until one of the descriptors is ready, or somebody sets `ready`."""
    waited = ready or asyncio.get_running_loop().create_future()

    def wake() -> None:
        if not waited.done():
            waited.set_result(None)

    for fd in fds:
        add(fd, wake)
    try:
        await waited
    finally:
        for fd in fds:
            remove(fd)
