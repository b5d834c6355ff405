"""Who asks whom: HAProxy's counts of each Service and of each address that asks it.

In: the runtime socket of the worker that serves. Out: a `Flow`. Each Service's frontend has a table of the addresses
that opened connections to it (`configuration` writes it down): found once a connection, counted once a request.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from madang.gateway import counters
from madang.haproxy import admin
from madang.ports.traffic import Calls, Flow, Served

STORED = "conn_cnt,http_req_cnt,http_fail_cnt"
BACKENDS = "show stat -1 2 -1"
TABLE = re.compile(r"# table: (?P<name>\S+), type: ip, .*used:(?P<used>\d+)")
ROW = re.compile(r"\S+ key=(?P<key>\S+) .*conn_cnt=(?P<connections>\d+) http_req_cnt=(?P<requests>\d+)")
FAILED = re.compile(r"http_fail_cnt=(\d+)")


async def flow(path: Path, worker: int) -> Flow:
    """Raises `admin.Silent`."""
    async with admin.session(path) as talk:
        answer = await talk.ask(BACKENDS)
        served = tuple(services(counters.read(answer.splitlines())))
        asked = used(await talk.ask("show table"))
        calls = [c for name in asked for c in table(name, (await talk.ask(f"show table {name}")).splitlines())]
    return Flow(worker, served, tuple(calls))


def services(rows: Iterable[counters.Counter]) -> Iterable[Served]:
    """All ports of a Service together; the mean time is of the port that took most."""
    found: dict[tuple[str, str], list[counters.Counter]] = {}
    for row in rows:
        if place := place_of(row.backend):
            found.setdefault(place, []).append(row)
    for (namespace, service), ports in found.items():
        most = max(ports, key=lambda p: p.requests)
        yield Served(
            namespace,
            service,
            sum(p.requests or p.sessions for p in ports),
            sum(p.answers_5xx for p in ports),
            sum(p.active for p in ports),
            most.response_ms,
        )


def place_of(name: str) -> tuple[str, str] | None:
    """NAMESPACE:SERVICE:PORT, as `services.backend_name` makes it."""
    parts = name.split(":")
    return (parts[0], parts[1]) if len(parts) >= 3 and parts[2].isdigit() else None


def used(answer: str) -> list[str]:
    found = (TABLE.match(line) for line in answer.splitlines())
    return [m["name"] for m in found if m and int(m["used"])]


def table(name: str, lines: Iterable[str]) -> Iterable[Calls]:
    """A connection that carried no HTTP counts as one request."""
    place = place_of(name)
    if place is None:
        return
    for line in lines:
        row, failed = ROW.match(line), FAILED.search(line)
        if row:
            count = int(row["requests"]) or int(row["connections"])
            yield Calls(row["key"], *place, count, int(failed[1]) if failed else 0)
