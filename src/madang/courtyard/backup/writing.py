"""Writes a backup: a compressed tar archive, sealed at its end, made under another name and renamed when it is whole.

In: a manifest, bytes and folders. Out: the file, mode 0600, or nothing. Memory stays bounded whatever the size: every
file is read in pieces.
"""

import gzip
import io
import os
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from madang.courtyard.backup.manifest import HEAD, SEAL, Manifest
from madang.courtyard.backup.seal import Seal, Sealed
from madang.ports.durable import sync_folder

LEVEL = 1  # a volume is often compressed already, and somebody waits
KINDS = (tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE)


class Archive:
    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar, self._seal = tar, Seal()

    def data(self, name: str, data: bytes, mode: int = 0o600) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = len(data), mode, int(time.time())
        info.uid, info.gid = os.getuid(), os.getgid()
        self._add(info, io.BytesIO(data))

    def tree(self, folder: Path, name: str) -> None:
        """A folder with all in it; a file alone; nothing where nothing is. Sockets and devices are left out."""
        if not folder.is_symlink() and not folder.exists():
            return
        info = self._tar.gettarinfo(os.fspath(folder), name)
        if info is None or info.type not in KINDS:
            return
        if info.isreg():
            with folder.open("rb") as file:
                self._add(info, file)
            return
        self._add(info)
        if info.isdir():
            with os.scandir(folder) as entries:
                names = sorted(entry.name for entry in entries)
            for one in names:
                self.tree(folder / one, f"{name}/{one}")

    def _add(self, info: tarfile.TarInfo, file: io.BufferedReader | io.BytesIO | None = None) -> None:
        self._seal.member(info.name, info.type, info.size, info.linkname)
        self._tar.addfile(info, None if file is None else Sealed(file, self._seal))
        self._tar.members.clear()  # type: ignore[attr-defined]  # it would remember every one

    def end(self) -> None:
        text = self._seal.text()
        info = tarfile.TarInfo(SEAL)
        info.size, info.mode = len(text), 0o600
        self._tar.addfile(info, io.BytesIO(text))


@contextmanager
def archive(path: Path, manifest: Manifest) -> Iterator[Archive]:
    """At `path` once the block has ended well."""
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as raw:
            with (
                gzip.GzipFile("", "wb", LEVEL, raw, mtime=0) as packed,
                tarfile.open(mode="w|", fileobj=packed, format=tarfile.PAX_FORMAT, bufsize=1 << 16) as tar,
            ):
                made = Archive(tar)
                made.data(HEAD, manifest.text())
                yield made
                made.end()
            raw.flush()
            os.fsync(raw.fileno())
        os.rename(new, path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
