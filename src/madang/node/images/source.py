"""Where an archive's files are read from: a tar file, packed or not, or a folder that holds an OCI layout.

In: a path, and a folder of one's own for what must be unpacked first. Out: a `Source`: named files, each with its size,
read in chunks. Names that climb are refused; what is not there is BadArchive by name.
"""

import json
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from madang.node.images import tar
from madang.node.images.flow import CHUNK, GZIP, ZSTD, unpacked
from madang.node.images.limits import LIMITS, BadArchive, NoRoom
from madang.node.images.names import parts_of, shown

_LINKS = 5  # `docker save` once wrote layers that several images share as links


class Source(Protocol):
    def size(self, name: str, /) -> int: ...

    def chunks(self, name: str, /) -> Iterator[bytes]: ...

    def has(self, name: str, /) -> bool: ...


def document(source: Source, name: str) -> bytes:
    size = source.size(name)
    if size > LIMITS.document_bytes:
        raise BadArchive(f"{name} has {size} bytes: at most {LIMITS.document_bytes}")
    return b"".join(source.chunks(name))


def parsed(body: bytes, name: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadArchive(f"{name} is no JSON: {error}") from error


@contextmanager
def open_source(path: Path, work: Path) -> Iterator[Source]:
    if path.is_dir():
        yield FolderSource(path)
        return
    with ExitStack() as files:
        file: BinaryIO = files.enter_context(open(path, "rb"))
        first = file.read(4)
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode) or first.startswith((GZIP, ZSTD, b"BZh", b"\xfd7zX")):
            spool: BinaryIO = files.enter_context(open(work / "archive", "w+b"))
            _spool(first, file, spool)
            file = spool
        yield TarSource(file)


def _spool(first: bytes, file: BinaryIO, out: BinaryIO) -> None:
    """The whole archive, unpacked, as a file in which one can go back and forth."""

    def chunks() -> Iterator[bytes]:
        yield first
        while chunk := file.read(CHUNK):
            yield chunk

    size = 0
    for chunk in unpacked(chunks()):
        size += len(chunk)
        if size > LIMITS.layer_bytes:
            raise BadArchive(f"an archive of more than {LIMITS.layer_bytes} bytes")
        disk = os.fstatvfs(out.fileno())
        if disk.f_bavail * disk.f_frsize < LIMITS.reserve_bytes:
            raise NoRoom
        out.write(chunk)


class FolderSource:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, name: str) -> Path:
        return self._folder.joinpath(*(p.decode() for p in parts_of(name.encode())))

    def has(self, name: str) -> bool:
        return self._path(name).is_file()

    def size(self, name: str) -> int:
        try:
            return self._path(name).stat().st_size
        except OSError as error:
            raise BadArchive(f"{name}: {error.strerror}") from error

    def chunks(self, name: str) -> Iterator[bytes]:
        try:
            fd = os.open(self._path(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise BadArchive(f"{name}: {error.strerror}") from error
        try:
            while chunk := os.read(fd, CHUNK):
                yield chunk
        finally:
            os.close(fd)


class TarSource:
    """Reads all headers once, then goes where a file stands."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._places: dict[bytes, tuple[int, int]] = {}
        self._links: dict[bytes, bytes] = {}
        feed = _FileFeed(file)
        for count, entry in enumerate(tar.entries(feed)):
            if count >= LIMITS.archive_entries:
                raise BadArchive(f"more than {LIMITS.archive_entries} files")
            name = b"/".join(parts_of(entry.name))
            if entry.kind == tar.FILE:
                self._places[name] = (file.tell(), entry.size)
            elif entry.kind in (tar.SYMLINK, tar.LINK):
                inside = entry.link if entry.kind == tar.LINK else os.path.join(os.path.dirname(name), entry.link)
                self._links[name] = os.path.normpath(inside)
            feed.skip(tar.padded(entry.size))
        if not self._places:
            raise BadArchive("a tar archive without files" if feed.size else "an empty file")

    def _place(self, name: str) -> tuple[int, int]:
        key = b"/".join(parts_of(name.encode()))
        for _ in range(_LINKS):
            if key in self._places:
                return self._places[key]
            key = self._links.get(key, b"")
        raise BadArchive(f"{shown(name.encode())} is not in the archive")

    def has(self, name: str) -> bool:
        try:
            self._place(name)
        except BadArchive:
            return False
        return True

    def size(self, name: str) -> int:
        return self._place(name)[1]

    def chunks(self, name: str) -> Iterator[bytes]:
        at, left = self._place(name)
        while left:
            chunk = os.pread(self._file.fileno(), min(CHUNK, left), at)
            if not chunk:
                raise BadArchive(f"{name}: the archive ends early")
            yield chunk
            at, left = at + len(chunk), left - len(chunk)


class _FileFeed:
    """Of a file in which one can go forward without reading."""

    def __init__(self, file: BinaryIO) -> None:
        file.flush()
        self._file = file
        self.size = file.seek(0, os.SEEK_END)
        file.seek(0)

    def at_end(self) -> bool:
        return self._file.tell() >= self.size

    def take(self, size: int) -> bytes:
        found = self._file.read(size)
        if len(found) != size:
            raise BadArchive("the archive ends in the middle of a header")
        return found

    def skip(self, size: int) -> None:
        if self._file.tell() + size > self.size + tar.BLOCK:
            raise BadArchive("the archive ends in the middle of a file")
        self._file.seek(size, os.SEEK_CUR)
