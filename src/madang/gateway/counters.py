"""HAProxy's counters as typed values.

In: the lines of its answer to `show stat`. Out: a `Counter` a backend or server. Counters start at nothing with every
worker, so that a difference means something only within one.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass


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
