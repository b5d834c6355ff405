"""HAProxy's counters as typed values: for the autoscaler and the dashboard.

In: the runtime socket of the worker that serves. Out: a snapshot. Counters start at nothing with every worker:
`worker` says which one counted, and a difference means something only within one.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from madang.haproxy import admin

BACKENDS_AND_SERVERS = "show stat -1 6 -1"


@dataclass(frozen=True, slots=True)
class Counter:
    """Of one backend (`server` empty) or one server of it. Times are averages over the last 1024 requests."""

    backend: str
    server: str
    up: bool
    active: int  # sessions now
    queued: int
    sessions: int
    requests: int
    bytes_in: int
    bytes_out: int
    connect_errors: int
    response_errors: int
    retries: int
    redispatches: int
    answers_5xx: int
    response_ms: int
    total_ms: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    worker: int
    counters: tuple[Counter, ...]

    def backend(self, namespace: str, service: str) -> tuple[Counter, ...]:
        """All ports of a Service, without its servers."""
        prefix = f"{namespace}:{service}:"
        return tuple(c for c in self.counters if not c.server and c.backend.startswith(prefix))


async def sample(path: Path, worker: int) -> Snapshot:
    (answer,) = await admin.ask(path, [BACKENDS_AND_SERVERS])
    return Snapshot(worker, tuple(read(answer.splitlines())))


def read(lines: Iterable[str]) -> Iterable[Counter]:
    """`show stat` is CSV whose first line begins with `# `."""
    rows = iter(lines)
    header = next(rows, "").removeprefix("# ").split(",")
    for row in csv.DictReader(rows, header):
        if row.get("svname") not in (None, "", "FRONTEND"):
            yield _counter(row)


def _counter(row: dict[str, str]) -> Counter:
    def number(name: str) -> int:
        return int(row.get(name) or 0)

    server = "" if row["svname"] == "BACKEND" else row["svname"]
    return Counter(
        backend=row["pxname"],
        server=server,
        up=row["status"].startswith(("UP", "OPEN", "no check")),
        active=number("scur"),
        queued=number("qcur"),
        sessions=number("stot"),
        requests=number("req_tot"),
        bytes_in=number("bin"),
        bytes_out=number("bout"),
        connect_errors=number("econ"),
        response_errors=number("eresp"),
        retries=number("wretr"),
        redispatches=number("wredis"),
        answers_5xx=number("hrsp_5xx"),
        response_ms=number("rtime"),
        total_ms=number("ttime"),
    )
