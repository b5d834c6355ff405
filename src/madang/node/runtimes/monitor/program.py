"""The last steps before a program runs, in its own process: who it is, where it stands, what it inherits.

In: argv, environment, user. Out: the program (exec never returns), or `StartError` with the words that containerd
and runc use, so that a person who knows a cluster's messages knows these.
"""

import os
import signal
from collections.abc import Sequence

from madang.node.runtimes.monitor import syscalls

# What containerd puts around runc's own words; recorded from a real cluster, kept so that messages compare equal.
PREFIX = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
    "runc create failed: unable to start container process: "
)


class StartError(Exception):
    """The program cannot be run; the text is the container's termination message."""


def refused(why: str | BaseException) -> StartError:
    if isinstance(why, OSError) and why.filename:
        why = f"{why.filename}: {why.strerror}"
    return StartError(f"{PREFIX}{why}: unknown")


def words(error: OSError) -> str:
    return (os.strerror(error.errno) if error.errno else str(error)).lower()


def locate(name: str, path: str) -> str:
    """The file that argv[0] names, by the environment's own PATH."""
    if "/" in name:
        try:
            os.stat(name)
        except OSError as error:
            raise refused(f'exec: "{name}": stat {name}: {words(error)}') from None
        return name
    for folder in path.split(":"):
        candidate = os.path.join(folder or ".", name)
        if os.access(candidate, os.X_OK) and os.path.isfile(candidate):
            return candidate
    raise refused(f'exec: "{name}": executable file not found in $PATH')


def identity(user: str, groups: Sequence[int]) -> tuple[int, int, list[int]] | None:
    """(uid, gid, groups) of `uid[:gid]` or `name[:group]`; None: as we are."""
    if not user:
        return None
    import grp
    import pwd

    first, _, second = user.partition(":")
    try:
        entry = pwd.getpwuid(int(first)) if first.isdigit() else pwd.getpwnam(first)
        uid, gid = entry.pw_uid, entry.pw_gid
        own = os.getgrouplist(entry.pw_name, gid)
    except KeyError:
        if not first.isdigit():
            raise refused(f"unable to find user {first}: no matching entries in passwd file") from None
        uid, gid, own = int(first), 0, []
    if second:
        try:
            gid = int(second) if second.isdigit() else grp.getgrnam(second).gr_gid
        except KeyError:
            raise refused(f"unable to find group {second}: no matching entries in group file") from None
    return uid, gid, sorted({gid, *own, *groups})


def become(who: tuple[int, int, list[int]] | None) -> None:
    if who is None or (who[0] == os.getuid() and who[1] == os.getgid() and os.getuid() != 0):
        return
    uid, gid, groups = who
    try:
        os.setgroups(groups)
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    except OSError as error:
        raise refused(f"setup user: cannot become {uid}:{gid}: {words(error)}") from None


def default_signals() -> None:
    """Python ignores SIGPIPE, and the monitor more: a program starts with every signal at its default."""
    for number in range(1, signal.NSIG):
        if number not in (signal.SIGKILL, signal.SIGSTOP, 32, 33):
            try:
                signal.signal(number, signal.SIG_DFL)
            except (OSError, ValueError):
                continue
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def stdio(fds: Sequence[int], tty: bool) -> None:
    """In a session (and process group) of its own, with these three as 0, 1 and 2."""
    os.setsid()
    for target, fd in enumerate(fds):
        os.dup2(fd, target, inheritable=True)
    if tty:
        import fcntl
        import termios

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def stand(cwd: str) -> None:
    """Before it becomes somebody else: the folder may lie in one that only we may pass through."""
    try:
        os.chdir(cwd)
    except OSError as error:
        raise refused(f'chdir to cwd ("{cwd}") set in config.json failed: {words(error)}') from None


def execute(argv: Sequence[str], env: dict[str, str]) -> None:
    """Never returns: it becomes the program, or raises StartError."""
    if not argv:
        raise refused("no command specified")
    file = locate(argv[0], env.get("PATH", os.defpath))
    try:
        os.execve(file, list(argv), env)
    except OSError as error:
        told = f'exec: "{argv[0]}"' if error.errno == 13 else f"exec {argv[0]}"
        raise refused(f"{told}: {words(error)}") from None


def die_with_parent(parent: int) -> None:
    """Where no PID namespace does it: the program goes when its monitor is killed."""
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(137)
