"""What a step changed, as a layer: the same changes, the same bytes.

In: the upper folder of an overlay. Out: a tar archive in the OCI layer format (whiteouts, opaque folders), its digest
and size. Entries are sorted, owners are numbers, nothing tells when or where it was made.
"""

import hashlib
import os
import stat
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

EMPTY = f"sha256:{hashlib.sha256(bytes(tarfile.RECORDSIZE)).hexdigest()}"  # of an archive of nothing
OPAQUE = ("trusted.overlay.opaque", "user.overlay.opaque")
OVERLAY = "user.overlay."  # what overlayfs itself notes in a user namespace
KEPT = ("security.capability", "user.")


@dataclass(frozen=True, slots=True)
class Packed:
    diff_id: str
    size: int


class Digesting:
    """Counts and digests what is written."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.hash, self.size = file, hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        self.hash.update(data)
        self.size += len(data)
        return self.file.write(data)


def clamp(upper: Path, seconds: int) -> None:
    """No file is younger than the image says it is: on disk too, so that later steps see what the image will hold."""
    for path, status in walk(upper):
        if status.st_mtime > seconds and not is_whiteout(status):
            os.utime(upper / path, (seconds, seconds), follow_symlinks=False)


def prune(upper: Path, below: Sequence[Path]) -> None:
    """Folders that were only looked into: the overlay has a copy of each that nothing differs in. `below` are the
    layers, the lowest first."""
    for path, status in reversed(list(walk(upper))):
        if stat.S_ISDIR(status.st_mode) and not os.listdir(upper / path) and not is_opaque(upper / path):
            was = next((s for layer in reversed(below) if (s := looked(layer / path)) is not None), None)
            if was is not None and facts(was) == facts(status):
                os.rmdir(upper / path)


def looked(path: Path) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None


def facts(status: os.stat_result) -> tuple[int, ...]:
    return status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns


def pack(upper: Path, target: Path) -> Packed:
    with open(target, "wb") as file:
        out = Digesting(file)
        first: dict[tuple[int, int], str] = {}
        with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT, encoding="utf-8") as tar:  # type: ignore[call-overload]
            for path, status in walk(upper):
                add(tar, upper, path, status, first)
        file.flush()
        os.fsync(file.fileno())
    return Packed(f"sha256:{out.hash.hexdigest()}", out.size)


def walk(upper: Path, below: str = "") -> Iterator[tuple[str, os.stat_result]]:
    for name in sorted(os.listdir(upper / below), key=os.fsencode):
        path = f"{below}/{name}".lstrip("/")
        status = os.lstat(upper / path)
        yield path, status
        if stat.S_ISDIR(status.st_mode):
            yield from walk(upper, path)


def is_whiteout(status: os.stat_result) -> bool:
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def is_opaque(folder: Path) -> bool:
    for name in OPAQUE:
        try:
            if os.getxattr(folder, name, follow_symlinks=False) == b"y":
                return True
        except OSError:
            continue
    return False


def add(
    tar: tarfile.TarFile, upper: Path, path: str, status: os.stat_result, first: dict[tuple[int, int], str]
) -> None:
    if stat.S_ISSOCK(status.st_mode):
        return
    if is_whiteout(status):
        folder, name = os.path.split(path)
        tar.addfile(tarfile.TarInfo(os.path.join(folder, f".wh.{name}")))
        return
    info = described(upper / path, path, status)
    if stat.S_ISREG(status.st_mode):
        if status.st_nlink > 1 and (known := first.setdefault((status.st_dev, status.st_ino), path)) != path:
            info.type, info.linkname, info.size = tarfile.LNKTYPE, known, 0
            tar.addfile(info)
            return
        with open(upper / path, "rb") as file:
            tar.addfile(info, file)
        return
    tar.addfile(info)
    if stat.S_ISDIR(status.st_mode) and is_opaque(upper / path):
        tar.addfile(tarfile.TarInfo(f"{path}/.wh..wh..opq"))


def described(place: Path, path: str, status: os.stat_result) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path)
    info.mode, info.uid, info.gid = stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid
    info.mtime = int(status.st_mtime)
    headers: dict[str, str] = {}
    info.pax_headers = headers
    kinds = {
        stat.S_IFDIR: tarfile.DIRTYPE,
        stat.S_IFLNK: tarfile.SYMTYPE,
        stat.S_IFIFO: tarfile.FIFOTYPE,
        stat.S_IFCHR: tarfile.CHRTYPE,
        stat.S_IFBLK: tarfile.BLKTYPE,
    }
    info.type = kinds.get(stat.S_IFMT(status.st_mode), tarfile.REGTYPE)
    if info.type == tarfile.REGTYPE:
        info.size = status.st_size
    elif info.type == tarfile.SYMTYPE:
        info.linkname = os.readlink(place)
    elif info.type in (tarfile.CHRTYPE, tarfile.BLKTYPE):
        info.devmajor, info.devminor = os.major(status.st_rdev), os.minor(status.st_rdev)
    if info.type != tarfile.SYMTYPE:
        for name in sorted(os.listxattr(place, follow_symlinks=False)):
            if name.startswith(KEPT) and not name.startswith(OVERLAY):
                value = os.getxattr(place, name, follow_symlinks=False)
                headers[f"SCHILY.xattr.{name}"] = value.decode("utf-8", "surrogateescape")
    return info
