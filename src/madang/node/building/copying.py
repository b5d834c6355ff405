"""COPY, ADD and WORKDIR in a folder that is a root.

In: a step, the tree that its files come from, the root with all layers merged. Out: files, or `Failed` with the line.
Every path is resolved inside the root, so that no link leads out of it. All that is written gets the one moment that
the image gives for its files.
"""

import errno
import os
import posixpath
import shutil
import stat
import tarfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from madang.node.building.owners import owner
from madang.node.building.trees import Chosen, Tree
from madang.node.images.build.steps import Files, Folder
from madang.node.images.limits import ROOM
from madang.node.runtimes.oci.users import NoSuchUser


class Failed(Exception):
    """A step could not be done."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"Dockerfile line {line}: {message}")
        self.line = line


@dataclass
class Writer:
    """Writes below `root`. `ids` and `mode` are wishes; without them files keep what they have where `keep_ids` says
    so, and belong to root else."""

    root: Tree
    seconds: int
    ids: tuple[int, int] | None = None
    mode: int | None = None
    keep_ids: bool = False

    def place(self, path: str) -> Path:
        return self.root.root / self.root.resolve(path)

    def beside(self, path: str) -> Path:
        """Where a new entry goes: its folder's links are followed, its own is replaced."""
        return self.place(posixpath.dirname(path)) / posixpath.basename(path)

    def folder(self, path: str) -> Path:
        """Made with all above it where it is not there."""
        done = self.root.root
        for part in [p for p in self.root.resolve(path).split("/") if p]:
            done /= part
            with suppress(FileExistsError):
                os.mkdir(done, 0o755)
                self.dress(done, None)
        if not done.is_dir():
            raise NotADirectoryError(20, "Not a directory", path)
        return done

    def dress(self, path: Path, status: os.stat_result | None) -> None:
        """Owner, mode, time. The owner first: changing it takes set-id bits away."""
        kept = (status.st_uid, status.st_gid) if status is not None and self.keep_ids else (0, 0)
        os.chown(path, *(self.ids or kept), follow_symlinks=False)
        link = path.is_symlink()
        if not link:
            mode = self.mode if self.mode is not None and status is not None else None
            if mode is None and status is not None:
                mode = stat.S_IMODE(status.st_mode)
            os.chmod(path, 0o755 if mode is None else mode)
        os.utime(path, (self.seconds, self.seconds), follow_symlinks=False)

    def entry(self, source: Tree, path: str, status: os.stat_result, to: Path) -> None:
        """One file, link or device; a folder is made, not filled."""
        if stat.S_ISDIR(status.st_mode):
            if to.is_symlink() or (to.exists() and not to.is_dir()):
                raise NotADirectoryError(20, "cannot copy a directory over a file", str(to.relative_to(self.root.root)))
            to.mkdir(exist_ok=True)
        elif to.is_dir() and not to.is_symlink():
            raise IsADirectoryError(21, "cannot copy a file over a directory", str(to.relative_to(self.root.root)))
        else:
            to.unlink(missing_ok=True)
            kind = stat.S_IFMT(status.st_mode)
            if kind == stat.S_IFLNK:
                os.symlink(os.readlink(source.root / path), to)
            elif kind == stat.S_IFREG:
                shutil.copyfile(source.root / path, to, follow_symlinks=False)
            elif kind in (stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK):
                os.mknod(to, status.st_mode, status.st_rdev)
            else:
                return  # a socket is nothing without who made it
        self.dress(to, status)
        if stat.S_ISREG(status.st_mode):
            with suppress(OSError):  # what a program may do (file capabilities) belongs to it
                os.setxattr(to, "security.capability", os.getxattr(source.root / path, "security.capability"))

    def inside(self, source: Tree, path: str, to: Path) -> None:
        """What a folder holds."""
        folders = [to]
        for rest, status in source.walk(path):
            target = to / rest
            self.entry(source, posixpath.join(path, rest), status, target)
            if stat.S_ISDIR(status.st_mode):
                folders.append(target)
        for folder in folders:
            os.utime(folder, (self.seconds, self.seconds))


def make_folder(step: Folder, root: Tree, seconds: int) -> None:
    try:
        ids = owner(root, step.user) if step.user else None
        Writer(root, seconds, ids).folder(step.path)
    except (OSError, NoSuchUser) as error:
        raise Failed(step.line, f"{step.title}: {said(error)}") from error


def copy(
    step: Files, source: Tree, root: Tree, seconds: int, fetched: Sequence[tuple[Tree, tuple[str, ...]]] = ()
) -> None:
    """`fetched` are trees of what comes from elsewhere, and what of each is meant."""
    try:
        ids = owner(root, step.chown) if step.chown else None
        writer = Writer(root, seconds, ids, step.chmod, keep_ids=not step.source.is_context)
        chosen = [(source, one) for one in source.choose(step.patterns, step.parents)]
        for tree, patterns in fetched:
            chosen += [(tree, one) for one in tree.choose(patterns)]
        several = len(chosen) + len(step.inline) > 1
        if several and not step.target.endswith("/") and not writer.place(step.target).is_dir():
            raise NotADirectoryError(20, "several files need a folder that ends with a /", step.target)
        for tree, one in chosen:
            take(step, writer, tree, one)
        for name, content in step.inline:
            write(step, writer, name, content)
    except FileNotFoundError as error:
        raise Failed(step.line, f'{step.title}: "{error}" not found') from error
    except (OSError, NoSuchUser, tarfile.TarError) as error:
        raise Failed(step.line, f"{step.title}: {said(error)}") from error


def take(step: Files, writer: Writer, source: Tree, one: Chosen) -> None:
    status = source.look(one.path)
    assert status is not None
    target = posixpath.join(step.target, one.below) if one.below else step.target
    if step.parents:
        target = posixpath.join(target, one.name) if stat.S_ISDIR(status.st_mode) else f"{target}/"
    if stat.S_ISDIR(status.st_mode):
        writer.inside(source, one.path, writer.folder(target))
        return
    if step.unpack and not step.remotes and stat.S_ISREG(status.st_mode) and tarfile.is_tarfile(source.root / one.path):
        unpack(writer, source.root / one.path, target)
        return
    writer.entry(source, one.path, status, file_place(writer, target, one.name))


def file_place(writer: Writer, target: str, name: str) -> Path:
    if target.endswith("/") or writer.place(target).is_dir():
        return writer.folder(target) / name
    writer.folder(posixpath.dirname(target))
    return writer.beside(target)


def write(step: Files, writer: Writer, name: str, content: str) -> None:
    """A heredoc as a file."""
    path = file_place(writer, step.target, name)
    if path.is_dir() and not path.is_symlink():
        raise IsADirectoryError(21, "Is a directory", step.target)
    path.unlink(missing_ok=True)
    path.write_bytes(content.encode())
    writer.dress(path, None)
    os.chmod(path, 0o644 if writer.mode is None else writer.mode)


def unpack(writer: Writer, archive: Path, target: str) -> None:
    """ADD of a tar archive. Names are read from the root of the target, links lead nowhere outside it."""
    writer.folder(target)
    with tarfile.open(archive) as tar:
        for member in tar:
            path = posixpath.normpath(posixpath.join("/", member.name))
            if path != "/":
                extract(writer, tar, member, posixpath.join(target, path.lstrip("/")), target)


def extract(writer: Writer, tar: tarfile.TarFile, member: tarfile.TarInfo, path: str, target: str) -> None:
    writer.folder(posixpath.dirname(path))
    to = writer.beside(path)
    if member.isdir():
        if to.is_symlink() or not to.is_dir():
            to.unlink(missing_ok=True)
            to.mkdir()
    else:
        if to.is_dir() and not to.is_symlink():
            shutil.rmtree(to)
        to.unlink(missing_ok=True)
        fill(writer, tar, member, to, target)
    ids = writer.ids or (member.uid, member.gid)
    os.chown(to, *ids, follow_symlinks=False)
    if not member.issym() and not member.islnk():
        os.chmod(to, stat.S_IMODE(member.mode))
    os.utime(to, (writer.seconds, writer.seconds), follow_symlinks=False)


def fill(writer: Writer, tar: tarfile.TarFile, member: tarfile.TarInfo, to: Path, target: str) -> None:
    if member.issym():
        os.symlink(member.linkname, to)
    elif member.islnk():
        name = posixpath.normpath(posixpath.join("/", member.linkname)).lstrip("/")
        os.link(writer.beside(posixpath.join(target, name)), to, follow_symlinks=False)
    elif member.isfifo():
        os.mkfifo(to)
    elif member.isdev():
        os.mknod(to, stat.S_IFCHR if member.ischr() else stat.S_IFBLK, os.makedev(member.devmajor, member.devminor))
    else:
        file = tar.extractfile(member)
        assert file is not None
        with file, open(to, "xb") as out:
            shutil.copyfileobj(file, out)


def said(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full: {ROOM}"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error)
