"""What the gateway should be, as frozen values: listeners, doors, backends and their servers.

In: nothing but what `routes` compiles from objects. Out: values that `configuration` writes down, `difference`
compares and tests assert. Two equal values mean that HAProxy has nothing to do.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from madang.ports.objects import Kind

Mode = Literal["http", "tcp", "sniff"]


class Owner(NamedTuple):
    """The object for whose sake something exists: events and messages are about it."""

    kind: Kind
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Bind:
    """An address to listen on. Two binds of one address are one socket; `what` is for messages. `own`: an address
    that nobody else has, which must be able to stand beside a wildcard of the same port. `near`: an address of the
    courtyard's own network, where that is not the machine's."""

    host: str
    port: int
    owner: Owner
    what: str
    own: bool = False
    near: bool = False

    @property
    def inside(self) -> bool:
        return self.own or self.near

    @property
    def name(self) -> str:
        """The keeper's name of the socket, also the name of the environment variable that carries its number."""
        return f"FD_{self.host.replace('.', '_').replace(':', '_')}_{self.port}"


@dataclass(frozen=True, slots=True)
class Server:
    """An instance. `drain` finishes what it has and gets nothing new."""

    name: str
    address: str
    port: int
    state: Literal["ready", "drain"] = "ready"


@dataclass(frozen=True, slots=True)
class Datagram:
    """A place that the kernel carries (UDP), and the instances behind it; `source`: only for callers of that range, for
    whom no other row of the place counts."""

    address: str
    port: int
    to: tuple[tuple[str, int], ...]
    affinity: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """One change to requests or answers: a line of a backend (`verb` is HAProxy's, arguments are quoted later)."""

    verb: str
    arguments: tuple[str, ...] = ()
    formatted: bool = False  # arguments hold HAProxy sample expressions on purpose


@dataclass(frozen=True, slots=True)
class Backend:
    """Where requests go. `answer` is a fixed status instead of servers."""

    name: str
    mode: Literal["http", "tcp"]
    servers: tuple[Server, ...] = ()
    affinity: bool = False  # one client keeps its instance
    affinity_s: int = 10800  # and so long after its last connection, whoever else comes
    protocol: Literal["", "h2"] = ""
    filters: tuple[Filter, ...] = ()
    answer: int = 0
    server_timeout_ms: int = 0


@dataclass(frozen=True, slots=True)
class Frontend:
    """A Service port: its addresses, and the backend behind them (`sniff`: HTTP goes to `backend`, all else to
    `backend`:tcp). `near`: another backend for callers of a range."""

    name: str
    mode: Mode
    binds: tuple[Bind, ...]
    backend: str
    near: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """One conditional way out of a cell: all conditions (HAProxy expressions) hold, then by weight."""

    conditions: tuple[str, ...]
    shares: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A place of the route table where host and path alone do not decide."""

    id: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Door:
    """An HTTP listener of a Gateway. `table` maps host and path to a backend or a cell, `suffixes` wildcard hosts
    to their rows (longest first)."""

    name: str
    bind: Bind
    table: tuple[tuple[str, str], ...] = ()
    suffixes: tuple[tuple[str, str], ...] = ()
    any_host: bool = False
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that cannot be done as asked: becomes an event about its owner."""

    owner: Owner
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Desired:
    frontends: tuple[Frontend, ...] = ()
    doors: tuple[Door, ...] = ()
    backends: tuple[Backend, ...] = ()
    problems: tuple[Problem, ...] = ()
    datagrams: tuple[Datagram, ...] = ()

    def binds(self) -> tuple[Bind, ...]:
        """Every address once; where two want one, the first in order keeps it."""
        found: dict[str, Bind] = {}
        for bind in (*(d.bind for d in self.doors), *(b for f in self.frontends for b in f.binds)):
            found.setdefault(bind.name, bind)
        return tuple(found.values())
