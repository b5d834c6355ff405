"""Desired -> HAProxy's configuration, as text: a value, tested as a value.

In: `Desired`, the names of the sockets that could not be opened, the tuning. Out: file names -> contents, all in one
folder. Listening sockets are the keeper's and come in as numbers in the environment; route tables are map files.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

from madang.gateway import large, sniffing
from madang.gateway.callers import STORED
from madang.gateway.desired import Backend, Bind, Cell, Desired, Door, Filter, Frontend, Server
from madang.gateway.rules import BROKEN, NOT_FOUND
from madang.gateway.tuning import Tuning
from madang.haproxy.quoting import word

MAIN, ADMIN = "haproxy.cfg", "FD_ADMIN"


def files(desired: Desired, refused: Collection[str], tuning: Tuning) -> dict[str, str]:
    """`refused` are names of binds to leave out: all others stay."""
    result = {MAIN: text(desired, refused, tuning)}
    for door in desired.doors:
        result[table_name(door)] = _map(door.table)
        result[suffixes_name(door)] = _map(door.suffixes)
    return result


def text(desired: Desired, refused: Collection[str], tuning: Tuning) -> str:
    lines = [*_global(tuning), *_defaults(tuning)]
    sniffed = {f"{b}:tcp" for f in desired.frontends if f.mode == "sniff" for b in (f.backend, *dict(f.near).values())}
    for door in desired.doors:
        if door.bind.name not in refused:
            lines += _door(door)
    for frontend in desired.frontends:
        binds = [b for b in frontend.binds if b.name not in refused]
        if binds:
            lines += _frontend(frontend, binds, tuning)
    lines += large.table()
    for backend in (*_fixed(), *desired.backends):
        lines += _backend(backend, tuning)
        if backend.affinity:  # a table needs a name of its own: the Service's is its frontend's
            lines += [f"backend {sticky(backend)}", "    mode tcp"]
            lines += [f"    stick-table type ip size {tuning.callers} expire {backend.affinity_s}s"]
        if backend.name in sniffed:
            lines += [f"    {line}" for line in sniffing.response_rules(backend.name, tuning)]
    return "\n".join(lines) + "\n"


def table_name(door: Door) -> str:
    return f"{door.name}.map"


def sticky(backend: Backend) -> str:
    """The table of who is kept by which instance."""
    return f"sticky:{backend.name}"


def suffixes_name(door: Door) -> str:
    return f"{door.name}.hosts.map"


def server_line(backend: Backend, server: Server, tuning: Tuning) -> str:
    """The address and options of a server: the tail of a configuration line and of `add server`. A server's weight is
    100 so that one can be given less while it warms up."""
    protocol = f" proto {backend.protocol}" if backend.protocol else ""
    return f"{server.address}:{server.port} weight 100 {tuning.server_line}{protocol}"


def _global(tuning: Tuning) -> Iterable[str]:
    yield "global"
    yield "    default-path config"
    yield f'    stats socket "fd@${{{ADMIN}}}" level admin'
    yield "    stats timeout 1m"
    yield f"    nbthread {tuning.threads}"
    yield f"    fd-hard-limit {tuning.fd_limit}"
    yield f"    hard-stop-after {tuning.drain}"
    yield "    spread-checks 0"


def _defaults(tuning: Tuning) -> Iterable[str]:
    yield "defaults"
    yield "    mode http"
    for name, value in (
        ("connect", tuning.connect),
        ("client", tuning.client),
        ("server", tuning.server),
        ("tunnel", tuning.tunnel),
        ("http-request", tuning.request),
        ("http-keep-alive", tuning.keep_alive),
        ("queue", tuning.queue),
    ):
        yield f"    timeout {name} {value}"
    yield f"    retries {tuning.retries}"
    yield "    option redispatch 1"  # every retry goes to another instance
    yield "    option dontlognull"


def _door(door: Door) -> Iterator[str]:
    yield f"frontend {door.name}"
    yield from _binds([door.bind])
    yield "    option idle-close-on-response"
    yield "    option forwardfor"
    # one lookup answers for every host that some route names; `table` says how the keys are made
    lookup = f"http-request set-var(txn.route) 'var(txn.host),concat(,txn.path,/#),map_beg({table_name(door)})'"
    yield "    http-request set-var(txn.path) path"
    yield "    http-request set-var(txn.host) req.hdr(host),host_only,lower"
    yield f"    {lookup}"
    fallbacks = (["var(txn.host),map_end(" + suffixes_name(door) + ")"] if door.suffixes else []) + (
        ["str(*)"] if door.any_host else []
    )
    for fallback in fallbacks:
        yield f"    http-request set-var(txn.host) {fallback} unless {{ var(txn.route) -m found }}"
        yield f"    {lookup} unless {{ var(txn.route) -m found }}"
    # a plain row names its backend; only what is left is looked at rule by rule
    yield "    use_backend %[var(txn.route)] if { var(txn.route) -m found } !{ var(txn.route) -m beg = }"
    yield from _cells(door.cells)
    yield f"    default_backend {NOT_FOUND}"


def _cells(cells: Sequence[Cell]) -> Iterator[str]:
    for cell in cells:
        for choice in cell.choices:
            conditions = " ".join(("{ var(txn.route) -m str -- " + word(cell.id) + " }", *choice.conditions))
            total = sum(weight for _, weight in choice.shares)
            for backend, weight in choice.shares:
                # one draw a share: the chance of a share among those that were not drawn before it
                draw = f" {{ rand({total}) lt {weight} }}" if weight < total else ""
                yield f"    use_backend {backend} if {conditions}{draw}"
                total -= weight


def _frontend(frontend: Frontend, binds: Sequence[Bind], tuning: Tuning) -> Iterator[str]:
    yield f"frontend {frontend.name}"
    # who asks this Service: looked up once a connection, counted once a request
    yield f"    stick-table type ip size {tuning.callers} expire {tuning.remembered} store {STORED}"
    yield "    tcp-request connection track-sc0 src"
    if frontend.mode == "http":
        yield "    option idle-close-on-response"
    else:
        yield "    mode tcp"
    yield from _binds(binds)
    if frontend.mode == "sniff":
        for line in sniffing.request_rules(frontend.backend, tuning, frontend.near):
            yield f"    {line}"
    else:
        for source, backend in frontend.near:
            yield f"    use_backend {backend} if {{ src {source} }}"
        yield f"    default_backend {frontend.backend}"


def _binds(binds: Iterable[Bind]) -> Iterator[str]:
    for bind in binds:
        yield f'    bind "fd@${{{bind.name}}}"'


def _fixed() -> Iterable[Backend]:
    return Backend(NOT_FOUND, "http", answer=404), Backend(BROKEN, "http", answer=500)


def _backend(backend: Backend, tuning: Tuning) -> Iterator[str]:
    yield f"backend {backend.name}"
    if backend.mode == "tcp":
        yield "    mode tcp"
    if backend.answer:
        why = _reason(backend.answer)
        yield f"    http-request return status {backend.answer} content-type text/plain string {why}"
        return
    if backend.affinity:
        yield "    balance source"
        yield "    hash-type consistent"  # an instance more or less moves only its own clients
        # and nobody who was here within the time: a table that a reload forgets, where the hash says nearly the same
        yield f"    stick on src table {sticky(backend)}"
    else:
        yield "    balance leastconn"
    if backend.mode == "http":
        yield "    retry-on conn-failure empty-response"
        # A failed connection is retried for every method; an answer that never came only where that is harmless.
        yield f"    http-request disable-l7-retry unless {{ method {' '.join(tuning.idempotent)} }}"
        yield f"    {large.rule()}"
    if backend.server_timeout_ms:
        yield f"    http-request set-timeout server {backend.server_timeout_ms}ms"
    for line in backend.filters:
        yield f"    {_filter(line)}"
    for server in backend.servers:
        yield f"    server {server.name} {server_line(backend, server, tuning)}{_state(server)}"


def _state(server: Server) -> str:
    return " weight 0" if server.state == "drain" else ""


def _reason(status: int) -> str:
    return word({404: "no route for this host and path", 500: "the backend of this route does not exist"}[status])


def _filter(line: Filter) -> str:
    if line.formatted:
        location, *rest = line.arguments
        return " ".join((line.verb, word(location), *rest))
    return " ".join((line.verb, *(word(a) for a in line.arguments)))


def _map(rows: Iterable[tuple[str, str]]) -> str:
    return "".join(f"{key} {value}\n" for key, value in rows)
