"""What it takes to get from one configuration to another: runtime commands, or a reload.

In: two `Desired` with the binds that each leaves out. Out: commands in the order in which they are safe (first what
adds, then what takes away), or `Reload` where the structure differs: a bind, a backend, a cell, an algorithm.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import TypeVar

from madang.gateway.configuration import table_name
from madang.gateway.desired import Backend, Desired, Door, Server


@dataclass(frozen=True, slots=True)
class AddServer:
    backend: Backend  # for its options
    server: Server


@dataclass(frozen=True, slots=True)
class SetState:
    backend: str
    server: str
    state: str  # ready or drain


@dataclass(frozen=True, slots=True)
class RemoveServer:
    backend: str
    server: str


@dataclass(frozen=True, slots=True)
class SetRow:
    table: str
    key: str
    value: str
    new: bool


@dataclass(frozen=True, slots=True)
class RemoveRow:
    table: str
    key: str


@dataclass(frozen=True, slots=True)
class Reload:
    pass


Command = AddServer | SetState | RemoveServer | SetRow | RemoveRow


def difference(
    old: Desired, new: Desired, refused_old: Collection[str] = (), refused_new: Collection[str] = ()
) -> Reload | Sequence[Command]:
    if not same_structure(old, new, refused_old, refused_new):
        return Reload()
    before = {b.name: b for b in old.backends}
    after = [
        (before[b.name], b) for b in new.backends if before[b.name] is not b and before[b.name].servers != b.servers
    ]
    added = [c for o, n in after for c in _added(o, n)]
    removed = [c for o, n in after for c in _removed(o, n)]
    rows = [c for o, n in zip(old.doors, new.doors, strict=True) for c in _rows(table_name(n), o.table, n.table)]
    rows.sort(key=lambda c: isinstance(c, RemoveRow))  # a row that replaces another is there before that one goes
    return [*added, *rows, *removed]


def same_structure(
    old: Desired, new: Desired, refused_old: Collection[str] = (), refused_new: Collection[str] = ()
) -> bool:
    """Whether a running process can learn the difference. Most pairs are the same object: identity comes first."""
    return (
        old.frontends == new.frontends
        and _pairwise(old.doors, new.doors, lambda o, n: _door(o) == _door(n))
        and _pairwise(old.backends, new.backends, lambda o, n: _backend(o) == _backend(n))
        # suffix rows count as structure: their order matters and cannot be changed in place
        and (set(refused_old) == set(refused_new))
    )


T = TypeVar("T")
# All of each but what a running process can learn.
_door = attrgetter(*(f.name for f in fields(Door) if f.name != "table"))
_backend = attrgetter(*(f.name for f in fields(Backend) if f.name != "servers"))


def _pairwise(old: Sequence[T], new: Sequence[T], alike: Callable[[T, T], bool]) -> bool:
    return len(old) == len(new) and all(o is n or alike(o, n) for o, n in zip(old, new, strict=True))


def _added(old: Backend, new: Backend) -> Iterator[Command]:
    known = {s.name: s for s in old.servers}
    for server in new.servers:
        before = known.get(server.name)
        if before is None:
            yield AddServer(new, server)
        elif before.state != server.state and server.state == "ready":
            yield SetState(new.name, server.name, "ready")


def _removed(old: Backend, new: Backend) -> Iterator[Command]:
    wanted = {s.name: s for s in new.servers}
    for server in old.servers:
        after = wanted.get(server.name)
        if after is None:
            yield RemoveServer(new.name, server.name)
        elif after.state != server.state and after.state == "drain":
            yield SetState(new.name, server.name, "drain")


def _rows(table: str, old: Sequence[tuple[str, str]], new: Sequence[tuple[str, str]]) -> Iterator[Command]:
    before, after = dict(old), dict(new)
    for key, value in after.items():
        if before.get(key) != value:
            yield SetRow(table, key, value, key not in before)
    for key in before:
        if key not in after:
            yield RemoveRow(table, key)
