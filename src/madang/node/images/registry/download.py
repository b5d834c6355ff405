"""A blob on its way from a registry into a file, while somebody else already reads it.

In: a client, the blob's digest and its announced size. Out: the file grows, `chunks` gives what is there and waits for
more. A connection that breaks, falls silent or crawls is taken up again where it stopped (Range), also by the next pull
after one that failed or was killed: its file stays. Whether the bytes are the right ones is for the reader to find out,
who hashes them anyway; more than was announced is refused here.
"""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from madang.node.images.flow import CHUNK
from madang.node.images.limits import LIMITS, BadArchive, NoRoom
from madang.node.images.registry.client import Asked, Client, RegistryError

FAR = 1 << 20  # who came so far since the last failure begins to count anew
LOOK_EVERY = 64 << 20  # bytes between two looks at the disk


class Download:
    """One writer (`run`), one reader (`chunks`), then `close`. `told` hears of every step, in the writer's thread."""

    def __init__(self, path: Path, spare: Path, digest: str, size: int, told: Callable[[int, int], None]) -> None:
        """`path` may hold the beginning already; where somebody else is at it, `spare` is taken."""
        self.digest, self.size = digest, size
        self._told = told
        self._stop = False
        self._error: BaseException | None = None
        self._more = threading.Condition()
        self.path, self._fd = _own_file(path, spare)
        self._done = os.fstat(self._fd).st_size
        if self._done > size:
            os.ftruncate(self._fd, 0)
            self._done = 0
        told(self._done, size)

    def stop(self) -> None:
        self._stop = True

    def close(self, *, keep: bool) -> None:
        """`keep` what has come, for the next who asks."""
        if not keep or not self._done:
            self.path.unlink(missing_ok=True)
        os.close(self._fd)

    def run(self, client: Client) -> None:
        try:
            self._persist(client)
        except BaseException as error:  # the reader raises it
            with self._more:
                self._error = error
                self._more.notify_all()

    def chunks(self) -> Iterator[bytes]:
        """All bytes; then the file is gone."""
        at = 0
        while at < self.size:
            with self._more:
                while self._done <= at and self._error is None:
                    self._more.wait()
                if self._done <= at and self._error is not None:
                    raise self._error
                ready = self._done
            while at < ready:
                chunk = os.pread(self._fd, min(CHUNK, ready - at), at)
                at += len(chunk)
                yield chunk
        self.path.unlink(missing_ok=True)

    def _persist(self, client: Client) -> None:
        failures, begun = 0, self._done
        while self._done < self.size and not self._stop:
            try:
                self._once(client)
                reason = f"the registry sends {self._done} of {self.size} bytes"
            except (httpx.TransportError, _Slow) as error:
                reason = str(error) or type(error).__name__
            if self._done == self.size:
                return
            failures = 1 if self._done - begun >= FAR else failures + 1
            begun = self._done
            wait_s = client.patience.delay_s(failures)
            if wait_s is None:
                raise RegistryError(f"{client.base}: {self.digest}: {reason}")
            time.sleep(wait_s)

    def _once(self, client: Client) -> None:
        start = self._done
        headers = {"range": f"bytes={start}-"} if start else {}
        pace = _Pace(client)
        with client.stream(Asked("GET", client.url(f"blobs/{self.digest}"), headers)) as answer:
            passed = 0 if answer.status_code == 206 else start  # a registry without ranges begins again
            if answer.status_code == 206 and not answer.headers.get("content-range", "").startswith(f"bytes {start}-"):
                raise BadArchive(f"{self.digest}: asked from byte {start}, the registry answers with another range")
            for chunk in answer.iter_raw(CHUNK >> 2):
                pace.count(len(chunk))
                fresh = chunk[min(passed, len(chunk)) :]
                passed -= len(chunk) - len(fresh)
                if fresh:
                    self._take(fresh)
                if self._stop:
                    return

    def _take(self, chunk: bytes) -> None:
        if self._done + len(chunk) > self.size:
            raise BadArchive(f"{self.digest}: the registry sends more than the {self.size} bytes that were announced")
        if self._done // LOOK_EVERY != (self._done + len(chunk)) // LOOK_EVERY or not self._done:
            disk = os.fstatvfs(self._fd)
            if disk.f_bavail * disk.f_frsize < LIMITS.reserve_bytes + len(chunk):
                raise NoRoom
        view = memoryview(chunk)
        at = self._done
        while view:
            written = os.pwrite(self._fd, view, at)
            at, view = at + written, view[written:]
        with self._more:
            self._done = at
            self._more.notify_all()
        self._told(at, self.size)


def _own_file(path: Path, spare: Path) -> tuple[Path, int]:
    """Opened and locked: a lock ends with its process, so a file that nobody has locked is nobody's."""
    for each in (path, spare):
        try:
            each.parent.mkdir(mode=0o700, exist_ok=True)
            fd = os.open(each, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:  # another pull has just removed the folder, empty as it was
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            continue
        return each, fd
    raise FileNotFoundError(2, "the folder for what comes is gone", str(spare.parent))


class _Slow(Exception):
    """The bytes come, but so slowly that another try is better."""


class _Pace:
    def __init__(self, client: Client) -> None:
        self._patience = client.patience
        self._since, self._bytes = time.monotonic(), 0

    def count(self, size: int) -> None:
        self._bytes += size
        now = time.monotonic()
        if now - self._since >= self._patience.slow_s:
            if self._bytes < self._patience.slow_bytes:
                raise _Slow(f"{self._bytes} bytes in {now - self._since:.0f} s")
            self._since, self._bytes = now, 0
