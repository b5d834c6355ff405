"""A program of its own that brings files into a running container, and never anywhere else.

`python -I planter.py PID TICKS`: the container by its first process (and when that was started, so that no other is
meant). In: a tar on standard input, names from the container's root; a member `.wh.NAME` takes NAME away. Out: nothing;
or one line on standard error, and exit code 1. The root is changed to the container's before any of its paths is
looked at: the kernel ends every link there, whatever a program inside does meanwhile. A file is written beside the old
one and takes its name, so that no reader sees a half and nothing that lies there is ever opened; it belongs to whom
the old one belonged, or the folder. Imports nothing of the house: it is started for each change.
"""

import os
import shutil
import stat
import sys
import tarfile
from contextlib import suppress

GONE, NEW = ".wh.", ".madang-new"


def enter(pid: int, ticks: int) -> None:
    root = os.open(f"/proc/{pid}/root", os.O_RDONLY | os.O_DIRECTORY)
    with open(f"/proc/{pid}/stat", "rb") as file:
        if int(file.read().rpartition(b")")[2].split()[19]) != ticks:
            raise ProcessLookupError(3, "it has ended")
    os.fchdir(root)
    os.chroot(".")
    os.chdir("/")
    os.close(root)


def plant(archive: tarfile.TarFile) -> None:
    for member in archive:
        path = "/" + member.name.strip("/")
        folder, name = os.path.split(path)
        if name.startswith(GONE):
            remove(os.path.join(folder, name[len(GONE) :]))
            continue
        made(folder)
        if member.isdir():
            made(path)
        elif member.issym():
            replaced(path, lambda new, to=member.linkname: os.symlink(to, new))
        elif member.isfile():
            content = archive.extractfile(member)
            assert content is not None
            replaced(path, lambda new, of=content, about=member: written(new, of, about))


def replaced(path, make) -> None:  # type: ignore[no-untyped-def]
    """`make` gets a path that does not exist; what it makes takes the place of `path`."""
    new = os.path.join(os.path.dirname(path), f".{os.getpid()}{NEW}")
    owner = like(path)
    try:
        make(new)
        os.chown(new, owner.st_uid, owner.st_gid, follow_symlinks=False)
        with suppress(FileNotFoundError):
            if stat.S_ISDIR(os.lstat(path).st_mode):
                shutil.rmtree(path)
        os.rename(new, path)
    finally:
        with suppress(OSError):
            os.unlink(new)


def written(new, content, about) -> None:  # type: ignore[no-untyped-def]
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(fd, "wb") as file:
        shutil.copyfileobj(content, file)
        os.fchmod(file.fileno(), about.mode & 0o7777)
    os.utime(new, (about.mtime, about.mtime))


def like(path: str) -> os.stat_result:
    """Of what stands there, else of the nearest folder above."""
    while True:
        with suppress(FileNotFoundError, NotADirectoryError):
            return os.lstat(path)
        path = os.path.dirname(path)


def made(folder: str) -> None:
    if not os.path.isdir(folder):
        made(os.path.dirname(folder))
        owner = like(folder)
        with suppress(FileExistsError):
            os.mkdir(folder, 0o755)
        os.chown(folder, owner.st_uid, owner.st_gid)


def remove(path: str) -> None:
    with suppress(FileNotFoundError, NotADirectoryError):
        if stat.S_ISDIR(os.lstat(path).st_mode):
            shutil.rmtree(path)
        else:
            os.unlink(path)


def main(pid: str, ticks: str) -> int:
    try:
        with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as archive:
            enter(int(pid), int(ticks))
            plant(archive)
    except (OSError, tarfile.TarError) as error:
        where = getattr(error, "filename", None)
        sys.stderr.write(f"{where + ': ' if where else ''}{getattr(error, 'strerror', None) or error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
