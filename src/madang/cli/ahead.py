"""A control process that loads its modules while `madang up` is still reading its own command line.

In: the words of the command. Out: a process that holds nothing, makes nothing and serves nobody until it is told for
which courtyard (`courtyard/waiting.py`); `take` hands it to who wakes that courtyard. What nobody took ends with the
command. It is a guess only: whenever something is not as guessed, the control process is started as ever.
"""

import os
import signal
import socket
import sys
from contextlib import suppress

from madang.cli import home

HELP = frozenset(("-h", "--help"))


class Ahead:
    """Raises OSError or NotImplementedError where no process can be started this way."""

    def __init__(self, name: str, folder: str) -> None:
        self.name, self.folder = name, folder
        self._door, theirs = socket.socketpair()
        with theirs:
            theirs.set_inheritable(True)
            # -P: the folder of whoever types is none of its own. What cannot be loaded is said where they see it.
            words = ["-P", "-m", "madang.courtyard", "--name", name, "--home", folder, f"--told-fd={theirs.fileno()}"]
            self.pid = os.posix_spawn(
                sys.executable,
                [sys.executable, *words],
                os.environ,
                file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_DUP2, 2, 1)],
                setsid=True,
            )

    def tell(self, words: list[str], descriptors: list[int]) -> bool:
        """Its command line, and what it is given: the pipe for its first word, the log, the lock if we have it."""
        try:
            socket.send_fds(self._door, ["\0".join(words).encode()], descriptors)
        except OSError:
            self.drop()
            return False
        self._door.close()
        return True

    def wait(self, _timeout: float | None = None) -> int:
        """Its exit code, negative for a signal."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def drop(self) -> None:
        self._door.close()
        with suppress(OSError):
            os.kill(self.pid, signal.SIGKILL)
            self.wait()


_begun: list[Ahead] = []


def begin(words: list[str]) -> None:
    """Begins one where these words, most likely, wake a courtyard that does not run."""
    if words[:1] != ["up"] or not HELP.isdisjoint(words):
        return
    name = meant(words[1:])
    folder = os.path.join(home.root(), name)
    if os.path.exists(os.path.join(folder, "run", "courtyard.json")):
        return
    with suppress(OSError, NotImplementedError, ValueError):
        _begun.append(Ahead(name, folder))


def meant(words: list[str]) -> str:
    """The courtyard's name, as far as one can tell without knowing the options."""
    name = os.environ.get("MADANG_NAME") or "default"
    for number, word in enumerate(words):
        if word == "--name":
            name = "".join(words[number + 1 : number + 2])
        elif word.startswith("--name="):
            name = word.removeprefix("--name=")
    return name


def take(name: str, folder: str) -> Ahead | None:
    """The process that was begun for this very courtyard; it is the caller's from now on."""
    if _begun and _begun[0].name == name and os.path.normpath(_begun[0].folder) == os.path.normpath(folder):
        return _begun.pop()
    return None


def drop() -> None:
    """The command is over, or does something else."""
    while _begun:
        _begun.pop().drop()
