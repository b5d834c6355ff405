"""Who holds a port that could not be opened, in words that a person can act on.

In: what the keeper could not open. Out: `Refusal`: the bind, the process if it can be seen, the sentence.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from madang.gateway.desired import Bind
from madang.gateway.keeping import Unopened

EVERY = ("0.0.0.0", "::")
COURTYARD = re.compile(r" -f (/.+)/gateway/[0-9]+/haproxy\.cfg")


@dataclass(frozen=True, slots=True)
class Refusal:
    """`pid` is 0 where the holder cannot be seen (another user's process)."""

    bind: Bind
    code: str
    message: str
    pid: int = 0


def explain(unopened: Iterable[Unopened]) -> tuple[Refusal, ...]:
    """Reads /proc once: call it in a thread."""
    failed = list(unopened)
    if any(u.code == "EADDRINUSE" for u in failed):
        listening = [c for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and c.laddr]
        held = [(c.laddr.ip, c.laddr.port, c.pid or 0) for c in listening if c.laddr]
    else:
        held = []
    return tuple(_refusal(u, holder(u.bind, held)) for u in failed)


def holder(bind: Bind, held: Iterable[tuple[str, int, int]]) -> int:
    """The pid that listens on this address and port, or on all addresses; other addresses' ports are their own."""
    near = [(ip, pid) for ip, port, pid in held if port == bind.port]
    if bind.host in EVERY:
        return near[0][1] if near else 0
    return next((pid for ip, pid in near if ip in (bind.host, *EVERY)), 0)


def _refusal(unopened: Unopened, pid: int) -> Refusal:
    bind = unopened.bind
    where = f"{bind.what}: {bind.host}:{bind.port}"
    if unopened.code == "EADDRINUSE":
        text = f"{where} is taken by {_name(pid)}: stop it, or choose another port"
    elif unopened.code == "EACCES":
        text = f"{where} may be opened by root only: choose a port from 1024, or start as root"
    elif unopened.code == "EADDRNOTAVAIL":
        text = f"{where} cannot be opened: this machine has no such address"
    else:
        text = f"{where} cannot be opened: {unopened.text}"
    return Refusal(bind, unopened.code, text, pid)


def _name(pid: int) -> str:
    if pid:
        try:
            command = " ".join(psutil.Process(pid).cmdline())
            if another := COURTYARD.search(command):
                return f"the courtyard in {another[1]} (pid {pid})"
            return f"`{command[:80] or psutil.Process(pid).name()}` (pid {pid})"
        except psutil.Error:
            pass
    return "a process that is not ours to see"
