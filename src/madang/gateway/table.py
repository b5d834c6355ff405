"""Route matches -> one flat table that HAProxy reads with a single longest-prefix lookup, whatever their number.

In: entries (host, path, conditions, where to). Out: rows `host + path -> backend`, and cells where method, headers
or weights decide too. A row's key ends with `/` for a prefix (so `/foo` never matches `/foobar`) and with `/#` for
an exact path (the request's own path gets `/#` appended before the lookup; `#` cannot stand in it). The order of
precedence is the Gateway API's (HTTPRouteRule.matches): host, exact path, longest prefix, method, number of headers,
number of query parameters, age, name. It is settled here: each cell lists all entries that can match there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from madang.gateway.desired import Cell, Choice

PathType = Literal["Exact", "PathPrefix", "RegularExpression"]
ORDER: dict[str, int] = {"Exact": 0, "RegularExpression": 1, "PathPrefix": 2}


@dataclass(frozen=True, slots=True)
class Entry:
    """`host` is a name, `*.suffix`, or empty for any. `rank` continues the order of precedence after the path."""

    host: str
    type: PathType
    path: str
    conditions: tuple[str, ...]
    shares: tuple[tuple[str, int], ...]
    rank: tuple[object, ...] = ()

    @property
    def precedence(self) -> tuple[object, ...]:
        return (ORDER[self.type], -len(self.path.rstrip("/")), *self.rank)


class Table(NamedTuple):
    rows: tuple[tuple[str, str], ...]
    suffixes: tuple[tuple[str, str], ...]
    any_host: bool
    cells: tuple[Cell, ...]


def compile_table(entries: Iterable[Entry]) -> Table:
    by_host: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda e: e.precedence):
        by_host.setdefault(entry.host, []).append(entry)
    rows: dict[str, str] = {}
    cells: dict[tuple[Choice, ...], Cell] = {}
    for host in sorted(by_host):
        levels = [by_host[pattern] for pattern in _patterns(host) if pattern in by_host]
        for kind, path in sorted({place for level in levels for place in _places(level)}):
            choices = _choices(levels, kind, path)
            if choices:
                rows[_key(host, kind, path)] = _value(choices, cells)
    wild = sorted((h for h in by_host if h.startswith("*.")), key=_specificity)
    return Table(tuple(sorted(rows.items())), tuple((h[1:], h) for h in wild), "" in by_host, tuple(cells.values()))


def covers(pattern: str, host: str) -> bool:
    """Whether every name that `host` stands for is also one of `pattern`."""
    if pattern in ("", host):
        return True
    return pattern.startswith("*.") and bool(host) and host.removeprefix("*").endswith(pattern[1:])


def intersect(one: str, other: str) -> str | None:
    """The names that both stand for; None where there is none."""
    if covers(one, other):
        return other
    return one if covers(other, one) else None


def _patterns(host: str) -> Iterable[str]:
    """Everything that covers a host, the most specific first."""
    if host:
        yield host
    labels = host.removeprefix("*.").split(".")
    for i in range(0 if host.startswith("*.") else 1, len(labels)):
        wild = "*." + ".".join(labels[i:])
        if wild != host:
            yield wild
    yield ""


def _specificity(host: str) -> tuple[int, int, str]:
    return (0 if host and host[0] != "*" else 1, -len(host), host)


def _places(level: Iterable[Entry]) -> Iterable[tuple[str, str]]:
    """Where in the path space something may change. A pattern can match anywhere: it stands at the root."""
    for entry in level:
        if entry.type == "RegularExpression":
            yield "PathPrefix", ""
        else:
            yield entry.type, entry.path if entry.type == "Exact" else entry.path.rstrip("/")


def _choices(levels: Iterable[list[Entry]], kind: str, path: str) -> tuple[Choice, ...]:
    found: list[Choice] = []
    for level in levels:
        for entry in level:
            if _matches(entry, kind, path):
                found.append(Choice(entry.conditions, entry.shares))
                if not entry.conditions:
                    return tuple(found)
    return tuple(found)


def _matches(entry: Entry, kind: str, path: str) -> bool:
    if entry.type == "Exact":
        return kind == "Exact" and entry.path == path
    return entry.type == "RegularExpression" or f"{path}/".startswith(f"{entry.path.rstrip('/')}/")


def _key(host: str, kind: str, path: str) -> str:
    return f"{host or '*'}{path}/#" if kind == "Exact" else f"{host or '*'}{path}/"


def _value(choices: tuple[Choice, ...], cells: dict[tuple[Choice, ...], Cell]) -> str:
    first = choices[0]
    if not first.conditions and len(first.shares) == 1:
        return first.shares[0][0]
    return cells.setdefault(choices, Cell(f"={len(cells) + 1}", choices)).id
