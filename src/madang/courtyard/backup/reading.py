"""Reads a backup into a folder, and believes nothing: the order of its members, where they lie, the seal at its end.

In: a file, an empty folder. Out: the manifest, and the folder filled. `Wrong` where anything is not as it must be; what
was unpacked until then is the caller's to remove. Memory stays bounded.
"""

import gzip
import os
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from madang.courtyard.backup.manifest import HEAD, SEAL, Manifest, Wrong, read
from madang.courtyard.backup.seal import CHUNK, Seal

TOPS = ("state.db", "settings.json", "pki", "admin.token", "kubeconfig", "images", "volumes", "pods")
LINKED = ("volumes", "pods")  # what is a courtyard's own is never a link
HEAD_BYTES = 16 << 20  # a file that is none may claim any size
CUT = "is damaged or was cut short"


def unpack(file: Path, into: Path) -> Manifest:
    try:
        with gzip.open(file, "rb") as packed, tarfile.open(mode="r|", fileobj=packed) as tar:
            return Unpacking(tar, into).all()
    except gzip.BadGzipFile as error:
        raise Wrong("is no backup of a courtyard: it is not compressed as one") from error
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise Wrong(f"{CUT} ({error})") from error


class Unpacking:
    def __init__(self, tar: tarfile.TarFile, into: Path) -> None:
        self._tar, self._into, self._seal = tar, into.resolve(), Seal()
        self._checked = self._into  # the parent that was looked at last
        self._closed: list[tuple[Path, int]] = []  # folders that not even their owner may write in

    def all(self) -> Manifest:
        first = self._tar.next()
        if first is None or first.name != HEAD or not first.isreg() or first.size > HEAD_BYTES:
            raise Wrong(f"is no backup of a courtyard: it does not begin with {HEAD}")
        self._seal.member(first.name, first.type, first.size, first.linkname)
        manifest = read(self._content(first))
        while (member := self._tar.next()) is not None:
            self._tar.members.clear()  # type: ignore[attr-defined]  # it would remember every one
            if member.name == SEAL:
                break
            self._seal.member(member.name, member.type, member.size, member.linkname)
            self._take(member)
        else:
            raise Wrong(f"{CUT}: its end is missing")
        if self._bytes(member) != self._seal.text():
            raise Wrong("is damaged: what it holds is not what was put into it (the checksum differs)")
        for folder, mode in reversed(self._closed):
            folder.chmod(mode)
        return manifest

    def _content(self, member: tarfile.TarInfo) -> bytes:
        data = self._bytes(member)
        self._seal.content(data)
        return data

    def _bytes(self, member: tarfile.TarInfo) -> bytes:
        stream = self._tar.extractfile(member)
        if stream is None or member.size > HEAD_BYTES:
            raise Wrong(f"is damaged: {member.name} is not a file")
        return stream.read()

    def _take(self, member: tarfile.TarInfo) -> None:
        path = self._place(member.name)
        if member.isdir():
            if path.is_symlink():
                raise Wrong(f"holds {member.name!r}, which leads out of the courtyard's folder")
            path.mkdir(exist_ok=True)
            if member.mode & 0o700 != 0o700:
                self._closed.append((path, member.mode & 0o7777))
            self._own(path, member, member.mode | 0o700)
        elif member.issym() and PurePosixPath(member.name).parts[0] in LINKED:
            path.symlink_to(member.linkname)
            self._own(path, member, None)
        elif member.islnk():
            os.link(self._place(member.linkname), path, follow_symlinks=False)
        elif member.isfifo():
            os.mkfifo(path)
            self._own(path, member, member.mode)
        elif member.isreg():
            self._write(path, member)
        else:
            raise Wrong(f"is damaged: {member.name} is of a kind that no backup holds")

    def _place(self, name: str) -> Path:
        """Where it goes; never out of the folder, by name or by a link that came before."""
        parts = PurePosixPath(name).parts
        if not parts or parts[0] not in TOPS or ".." in parts:
            raise Wrong(f"holds {name!r}, which is no part of a courtyard")
        path = self._into.joinpath(*parts)
        if path.parent != self._checked:
            if path.parent.resolve() != path.parent:  # before it is made: a link would have it made elsewhere
                raise Wrong(f"holds {name!r}, which leads out of the courtyard's folder")
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._checked = path.parent
        return path

    def _write(self, path: Path, member: tarfile.TarInfo) -> None:
        stream = self._tar.extractfile(member)
        assert stream is not None
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            while data := stream.read(CHUNK):
                self._seal.content(data)
                file.write(data)
        self._own(path, member, member.mode)
        os.utime(path, (member.mtime, member.mtime))

    def _own(self, path: Path, member: tarfile.TarInfo, mode: int | None) -> None:
        if os.geteuid() == 0:
            os.chown(path, member.uid, member.gid, follow_symlinks=False)
        if mode is not None:
            path.chmod(mode & 0o7777)
