"""Who holds a port that could not be opened, in words that a person can act on.

In: what the keeper could not open. Out: `Refusal`: the bind, the process if it can be seen, the sentence.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from madang.gateway.desired import Bind
from madang.gateway.keeping import Unopened
from madang.porch import standing

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
    ports = {u.bind.port for u in failed if u.code == "EADDRINUSE"}
    held = held_outside(ports) if standing.inside() else held_here() if ports else []
    return tuple(_refusal(u, holder(u.bind, held)) for u in failed)


def held_here() -> list[tuple[str, int, int]]:
    listening = [c for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and c.laddr]
    return [(c.laddr.ip, c.laddr.port, c.pid or 0) for c in listening if c.laddr]


def held_outside(ports: Iterable[int]) -> list[tuple[str, int, int]]:
    """A socket of another courtyard has several holders: the one that says whose it is comes first."""
    found = [row for port in sorted(ports) for row in standing.listening(port)]
    return sorted(found, key=lambda row: COURTYARD.search(_command(row[2])) is None)


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
    command = _command(pid)
    if another := COURTYARD.search(command):
        return f"the courtyard in {another[1]} (pid {pid})"
    return f"`{command[:80]}` (pid {pid})" if command else "a process that is not ours to see"


def _command(pid: int) -> str:
    try:
        return (" ".join(psutil.Process(pid).cmdline()) or psutil.Process(pid).name()) if pid else ""
    except psutil.Error:
        return ""
