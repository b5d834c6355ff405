"""Who holds a port that could not be opened, in words that a person can act on.

In: what the keeper could not open. Out: `Refusal`: the bind, the process if it can be seen, the sentence.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from madang.gateway.desired import Bind
from madang.gateway.keeping import Unopened


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
        listening = (c for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and c.laddr)
        holders = {c.laddr.port: c.pid or 0 for c in listening if c.laddr}
    else:
        holders = {}
    return tuple(_refusal(u, holders.get(u.bind.port, 0)) for u in failed)


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
            command = " ".join(psutil.Process(pid).cmdline())[:80]
            return f"`{command or psutil.Process(pid).name()}` (pid {pid})"
        except psutil.Error:
            pass
    return "a process that is not ours to see"
