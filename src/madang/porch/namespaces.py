"""The namespaces that a courtyard lives in: made by a process that is thrown away, held by descriptors.

In: nothing, or a process that still lives in them. Out: descriptors of the user, the network and the mount namespace;
OSError with the step that this machine refuses.
"""

from __future__ import annotations

import os
import shutil

from madang.porch import mapping

KINDS = (("user", 0x10000000), ("net", 0x40000000), ("mnt", 0x00020000))
PROGRAMS = "/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin"


def of(pid: int) -> list[int]:
    """Of a process that lives there."""
    return [os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY | os.O_CLOEXEC) for name, _ in KINDS]


def make() -> list[int]:
    """New ones. The maps are written from outside: only there may lent ids be given."""
    told, tell = os.pipe()
    wait, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(told)
        os.close(go)
        _apart(tell, wait)
    os.close(tell)
    os.close(wait)
    try:
        if (word := os.read(told, 1024)) != b"!":
            raise OSError(1, f"user namespaces are refused here: {word.decode() or 'the process that tried has died'}")
        write_maps(pid)
        return of(pid)
    finally:
        for fd in (told, go):
            os.close(fd)
        os.waitpid(pid, 0)


def _apart(tell: int, wait: int) -> None:
    """In the process that is thrown away; never returns."""
    import ctypes  # only here: it costs memory

    libc = ctypes.CDLL(None, use_errno=True)
    flags = sum(flag for _, flag in KINDS)
    done = libc.unshare(flags) == 0
    os.write(tell, b"!" if done else f"unshare: {os.strerror(ctypes.get_errno())}".encode())
    os.read(wait, 1)
    os._exit(0)


def write_maps(pid: int) -> None:
    """With lent ids where the machine has any and the programs that give them, else the user alone."""
    if lend(pid):
        return
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", mapping.single(os.geteuid())),
        ("gid_map", mapping.single(os.getegid())),
    ):
        fd = os.open(f"/proc/{pid}/{name}", os.O_WRONLY)
        try:
            os.write(fd, text.encode())
        except OSError as error:
            raise OSError(error.errno, f"user namespaces are refused here: {name}: {error.strerror}") from None
        finally:
            os.close(fd)


def lend(pid: int) -> bool:
    """Both maps or none: what was begun with lent groups is ended with them."""
    commands = []
    for program, file, number in (
        ("newgidmap", "/etc/subgid", os.getegid()),
        ("newuidmap", "/etc/subuid", os.geteuid()),
    ):
        found, ids = shutil.which(program, path=PROGRAMS), lent(file)
        if found is None or ids is None:
            return False
        commands.append(mapping.command(found, pid, number, ids))
    if run(commands[0]) != 0:
        return False
    if run(commands[1]) != 0:  # the groups are there: the user alone may still be written
        fd = os.open(f"/proc/{pid}/uid_map", os.O_WRONLY)
        os.write(fd, mapping.single(os.geteuid()).encode())
        os.close(fd)
    return True


def lent(file: str) -> tuple[int, int] | None:
    import pwd

    try:
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        name = ""
    try:
        with open(file, encoding="utf-8") as text:
            return mapping.lent(text.read(), name, os.geteuid())
    except OSError:
        return None


def run(command: list[str]) -> int:
    pid = os.posix_spawn(command[0], command, {}, file_actions=[(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)])
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
