"""Calling an OCI runtime's program (runc, crun): its command lines, and what it leaves behind.

In: names in the bundle, which is the working folder. Out: argv, pids, the words in which it refused. Both programs
take the same options; errors are read from their log in JSON.
"""

import json
import os
import signal
import socket
from contextlib import suppress

from madang.node.runtimes.monitor import program

ROOT, STATE, CONFIG, PID, LOG, CONSOLE = "rootfs", "state", "config.json", "pid", "runtime.log", "console.sock"
_ENV = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
# The words before a program's own fault: who reads messages of a cluster knows what follows.
_MARK = "unable to start container process: "


def run(id: str, *, console: bool) -> list[str]:
    return _call(LOG, "run", "--detach", "--bundle", ".", "--pid-file", PID, *_console(console, CONSOLE), id)


def exec(id: str, process: str, pid: str, log: str, console: str) -> list[str]:
    more = _console(bool(console), console)
    return _call(log, "exec", "--detach", "--process", process, "--pid-file", pid, *more, id)


def _call(log: str, verb: str, *rest: str) -> list[str]:
    return ["--root", STATE, "--log", log, "--log-format", "json", verb, *rest]


def _console(wanted: bool, name: str) -> list[str]:
    return ["--console-socket", name] if wanted else []


def execute(file: str, argv: list[str]) -> None:
    """Never returns."""
    os.execve(file, [os.path.basename(file), *argv], _ENV)


def started(child: int, pid: str = PID, log: str = LOG) -> int:
    """The new process's pid, once the runtime has gone. Raises StartError in its words."""
    _, status = os.waitpid(child, 0)
    if status == 0:
        with open(pid) as file:
            return int(file.read())
    if os.WIFSIGNALED(status):
        raise program.refused(f"the runtime was ended by signal {os.WTERMSIG(status)}")
    raise program.refused(words(log) or f"the runtime failed with code {os.WEXITSTATUS(status)}")


def words(log: str) -> str:
    """Its last error."""
    found = ""
    with suppress(OSError), open(log) as file:
        for line in file:
            with suppress(ValueError):
                entry = json.loads(line)
                if entry.get("level") in ("error", "fatal"):
                    found = str(entry.get("msg", ""))
    return found.rpartition(_MARK)[2].strip()


def listen(path: str) -> socket.socket:
    with suppress(FileNotFoundError):
        os.unlink(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.bind(path)
    sock.listen(1)
    return sock


def accept(sock: socket.socket) -> int:
    """The outer end of the terminal that the runtime has made. It was sent before the runtime went."""
    sock.setblocking(False)
    with sock, sock.accept()[0] as connection:
        connection.setblocking(True)
        _, fds, _, _ = socket.recv_fds(connection, 4096, 1, socket.MSG_CMSG_CLOEXEC)
    if not fds:
        raise program.refused("the runtime sent no terminal")
    return fds[0]


def outside(proc: int, pid: int, own: str) -> int:
    """The number that a child of process `own`, with `pid` in our PID namespace, has on the machine (whose /proc is
    `proc`). 0 where it is gone without a trace."""
    for number in _children(proc, own):
        with suppress(OSError, ValueError, IndexError):
            for line in _read(proc, f"{number}/status").splitlines():
                if line.startswith("NSpid:") and int(line.split()[2]) == pid:
                    return int(number)
    return 0


def _children(proc: int, pid: str) -> list[str]:
    with suppress(OSError):
        return _read(proc, f"{pid}/task/{pid}/children").split()
    return [name for name in os.listdir(proc) if name.isdigit()]


def _read(proc: int, path: str) -> str:
    fd = os.open(path, os.O_RDONLY, dir_fd=proc)
    with os.fdopen(fd) as file:
        return file.read()


def forget(id: str) -> None:
    """Its own notes of a container that is over, in the working folder."""
    for folder in (os.path.join(STATE, id), STATE):
        with suppress(OSError):
            for name in os.listdir(folder):
                os.unlink(os.path.join(folder, name))
            os.rmdir(folder)
    for name in (PID, LOG, CONSOLE):
        with suppress(OSError):
            os.unlink(name)


def kill(pid: int) -> None:
    for target in (-pid, pid):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(target, signal.SIGKILL)
