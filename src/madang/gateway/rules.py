"""HTTPRoute rules -> entries of the route table, and backends of their own where filters or weights ask for them.

In: one HTTPRoute, a way to look Services up. Out: entries without a host, backends, what could not be resolved. A
share whose reference is broken answers 500 and one without a ready instance 503, as the Gateway API says.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from madang.gateway import filters, matches, protocols, services
from madang.gateway.desired import Backend, Filter
from madang.gateway.listeners import age
from madang.gateway.matches import Unsupported
from madang.gateway.table import Entry
from madang.haproxy.quoting import Unwritable
from madang.ports.objects import Obj

BROKEN, NOT_FOUND = "answer:500", "answer:404"
# From (namespace, name) to the Service and its EndpointSlices.
Find = Callable[[str, str], tuple[Obj, Sequence[Obj]] | None]


class Unresolved(NamedTuple):
    reason: str
    message: str


@dataclass(slots=True)
class Compiled:
    """`refused` is why the route as a whole is not accepted."""

    entries: list[Entry] = field(default_factory=list)
    backends: list[Backend] = field(default_factory=list)
    unresolved: list[Unresolved] = field(default_factory=list)
    refused: str = ""
    _placed: dict[str, tuple[Entry, ...]] = field(default_factory=dict)

    def at(self, host: str) -> tuple[Entry, ...]:
        """The entries of one host name: the same tuple each time."""
        if host not in self._placed:
            self._placed[host] = tuple(replace(e, host=host) for e in self.entries)
        return self._placed[host]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in its route a rule and a match stand: for names and messages."""

    route: str
    rule: int
    match: int

    @property
    def at(self) -> str:
        return f"spec.rules[{self.rule}]"


def compile_route(route: Obj, find: Find) -> Compiled:
    meta = route["metadata"]
    result = Compiled()
    try:
        for i, rule in enumerate(route["spec"].get("rules") or ({},)):
            refs = _references(rule, meta.get("namespace", ""), find, result, f"spec.rules[{i}]")
            for j, match in enumerate(rule.get("matches") or ({},)):
                place = _Place(f"{meta.get('namespace', '')}:{meta['name']}", i, j)
                read = matches.read(match, f"{place.at}.matches[{j}]")
                shares = _shares(rule, refs, read.path if read.type == "PathPrefix" else None, place, result)
                rank = (*read.rank, *age(route), i, j)
                result.entries.append(Entry("", read.type, read.path, read.conditions, shares, rank))
    except (Unsupported, Unwritable) as refusal:
        return Compiled(refused=str(refusal))
    unique = {b.name: b for b in result.backends}
    result.backends = list(unique.values())
    return result


class _Reference(NamedTuple):
    backend: Backend | None  # None: broken
    weight: int
    filters: Sequence[Obj]


def _references(rule: Obj, namespace: str, find: Find, result: Compiled, at: str) -> list[_Reference]:
    found = []
    for i, ref in enumerate(rule.get("backendRefs") or ()):
        backend = _resolve(ref, namespace, find)
        if isinstance(backend, Unresolved):
            result.unresolved.append(Unresolved(backend.reason, f"{at}.backendRefs[{i}]: {backend.message}"))
            found.append(_Reference(None, ref.get("weight", 1), ()))
        else:
            result.backends.append(backend)
            found.append(_Reference(backend, ref.get("weight", 1), ref.get("filters") or ()))
    return found


def _resolve(ref: Obj, namespace: str, find: Find) -> Backend | Unresolved:
    if (ref.get("group") or "", ref.get("kind", "Service")) != ("", "Service"):
        return Unresolved("InvalidKind", f"{ref.get('group') or 'core'}/{ref.get('kind')} is not a Service")
    place, name = ref.get("namespace") or namespace, ref["name"]
    if place != namespace:
        return Unresolved("RefNotPermitted", f"Service {place}/{name} is in another namespace and nothing grants it")
    known = find(place, name)
    if known is None:
        return Unresolved("BackendNotFound", f"Service {place}/{name} not found")
    service, slices = known
    ports = service["spec"].get("ports") or ()
    port = next((p for p in ports if p["port"] == ref.get("port")), None)
    if port is None:
        has = ", ".join(str(p["port"]) for p in ports) or "none"
        return Unresolved("BackendNotFound", f"Service {place}/{name} has no port {ref.get('port')} (it has: {has})")
    backend = services.behind(service, port, slices, "http")[0]
    if protocols.speaks_h2(port):
        return replace(backend, name=f"{backend.name}:h2", protocol="h2")
    if services.mode_of(service, port) == "tcp":
        return replace(backend, name=f"{backend.name}:http")  # the Service's own address carries bytes
    return backend


def _shares(
    rule: Obj, refs: list[_Reference], prefix: str | None, place: _Place, result: Compiled
) -> tuple[tuple[str, int], ...]:
    own = filters.lines(rule.get("filters") or (), prefix, f"{place.at}.filters")
    timeout = _timeout_ms(rule, place.at)
    base = f"{place.route}:rule-{place.rule}-{place.match}"
    if filters.redirects(rule.get("filters") or ()):
        result.backends.append(Backend(base, "http", filters=own))
        return ((base, 1),)
    shares: list[tuple[str, int]] = []
    for i, ref in enumerate(refs):
        if ref.weight <= 0:
            continue
        extra = filters.lines(ref.filters, prefix, f"{place.at}.backendRefs[{i}].filters")
        if ref.backend is None:
            shares.append((BROKEN, ref.weight))
        elif own or extra or timeout:
            shares.append((f"{base}:{i}", ref.weight))
            result.backends.append(_dressed(ref.backend, f"{base}:{i}", (*own, *extra), timeout))
        else:
            shares.append((ref.backend.name, ref.weight))
    return tuple(shares) or ((BROKEN, 1),)


def _dressed(backend: Backend, name: str, lines: Iterable[Filter], timeout_ms: int) -> Backend:
    return replace(backend, name=name, filters=tuple(lines), server_timeout_ms=timeout_ms)


def _timeout_ms(rule: Obj, at: str) -> int:
    """`timeouts.backendRequest`, else `timeouts.request` (GEP-2257 durations; 0 is none)."""
    timeouts = rule.get("timeouts") or {}
    text = timeouts.get("backendRequest") or timeouts.get("request") or ""
    return duration_ms(text, f"{at}.timeouts") if text else 0


def duration_ms(text: str, at: str) -> int:
    if not re.fullmatch(r"([0-9]{1,5}(h|m|s|ms)){1,4}", text):
        raise Unsupported(f"{at}: {text!r} is not a duration such as 1m30s or 500ms")
    units = {"h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
    return sum(int(n) * units[u] for n, u in re.findall(r"([0-9]+)(ms|h|m|s)", text))
