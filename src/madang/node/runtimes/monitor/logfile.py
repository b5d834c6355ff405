"""The container's log in CRI form: `TIME stdout|stderr F|P TEXT`, one line an entry, with rotation.

In: bytes as the program writes them. Out: whole entries, appended with one write a batch. Memory is bounded: a line
longer than 16 KiB is cut into parts marked P, the last one F. A disk that refuses costs lines, counted in
`dropped`; the program is never held up for it.
"""

import os
import time

PART_BYTES = 16 * 1024


def stamp(now_ns: int) -> bytes:
    """RFC 3339 with nanoseconds, in UTC: 2026-01-31T09:00:00.000000001Z."""
    seconds, fraction = divmod(now_ns, 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{fraction:09d}Z".encode()


class Lines:
    """One stream cut into CRI entries."""

    def __init__(self, stream: str) -> None:
        self._tag = f" {stream} ".encode()
        self._rest = b""

    def feed(self, data: bytes, now_ns: int) -> bytes:
        head = stamp(now_ns) + self._tag
        *whole, rest = (self._rest + data).split(b"\n")
        out = [self._entry(head, line) for line in whole]
        while len(rest) >= PART_BYTES:
            out.append(head + b"P " + rest[:PART_BYTES] + b"\n")
            rest = rest[PART_BYTES:]
        self._rest = rest
        return b"".join(out)

    def end(self, now_ns: int) -> bytes:
        """What the program left without a newline: a part, as containerd keeps it."""
        rest, self._rest = self._rest, b""
        return stamp(now_ns) + self._tag + b"P " + rest + b"\n" if rest else b""

    @staticmethod
    def _entry(head: bytes, line: bytes) -> bytes:
        if len(line) < PART_BYTES:
            return head + b"F " + line + b"\n"
        parts = [line[i : i + PART_BYTES] for i in range(0, len(line), PART_BYTES)]
        tags = [b"P "] * (len(parts) - 1) + [b"F "]
        return b"".join(head + tag + part + b"\n" for tag, part in zip(tags, parts))


class LogFile:
    """Appends to `name` in a folder; at `max_bytes` it becomes `name.1`, and so on up to `files` files in all."""

    def __init__(self, path: str, max_bytes: int, files: int) -> None:
        folder, self.name = os.path.split(path)
        os.makedirs(folder, exist_ok=True)
        self.folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self.max_bytes, self.files = max(max_bytes, 4096), max(files, 1)
        self.dropped = 0
        self._open()

    @classmethod
    def taken(cls, name: str, max_bytes: int, files: int, folder: int, file: int) -> "LogFile":
        """What another process has opened."""
        log = cls.__new__(cls)
        log.name, log.max_bytes, log.files, log.folder, log.fd = name, max_bytes, files, folder, file
        log.dropped, log._size = 0, os.fstat(file).st_size
        return log

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self.fd = os.open(self.name, flags, 0o640, dir_fd=self.folder)
        self._size = os.fstat(self.fd).st_size

    def append(self, entries: bytes) -> None:
        """A short write (the disk is full) is cut back, so that the next entry starts on a line of its own."""
        if not entries:
            return
        try:
            if self._size + len(entries) > self.max_bytes and self._size:
                self._rotate()
            written = os.write(self.fd, entries)
            if written < len(entries):
                os.ftruncate(self.fd, self._size)
                self.dropped += 1
                return
            self._size += written
        except OSError:
            self.dropped += 1

    def _rotate(self) -> None:
        """A disk without room for a new file stops it halfway: the next try goes on from there."""
        if not self._there():
            self._reopen()
            return
        for index in range(self.files - 1, 0, -1):
            older = self.name if index == 1 else f"{self.name}.{index - 1}"
            try:
                os.rename(older, f"{self.name}.{index}", src_dir_fd=self.folder, dst_dir_fd=self.folder)
            except FileNotFoundError:
                continue
        if self.files == 1:
            os.unlink(self.name, dir_fd=self.folder)
        self._reopen()

    def _there(self) -> bool:
        try:
            os.stat(self.name, dir_fd=self.folder)
        except FileNotFoundError:
            return False
        return True

    def _reopen(self) -> None:
        old = self.fd
        self._open()
        os.close(old)

    def close(self) -> None:
        os.close(self.fd)
        os.close(self.folder)
