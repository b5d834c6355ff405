"""Requests that are too large to be asked again, counted where they pass: HAProxy keeps a request for another try only
if it fits its buffer.

In: the runtime socket of the worker that serves. Out: how many by backend. Only methods that would be tried again
after an empty answer count (a failed connection is tried again whatever the size), and only bodies whose length is
told ahead: a chunked one is not known to be large until it is through. What does not match costs one comparison.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from madang.gateway.callers import place_of
from madang.haproxy import admin

TABLE = "large-requests"
METHODS = ("PUT", "DELETE")  # of those that are tried again, the ones that carry bodies
FITS_BYTES = 15_000  # HAProxy's buffer (16 kB) less its reserve and a request's usual headers
LENGTH = "req.hdr_val(content-length)"
LONGEST = 200  # bytes of a backend's name
ROW = re.compile(r"\S+ key=(\S+) .*http_req_cnt=(\d+)")


def table() -> Iterator[str]:
    """A backend that is nothing but the counts."""
    yield f"backend {TABLE}"
    yield f"    stick-table type string len {LONGEST} size 10k store http_req_cnt"


def rule() -> str:
    where = f"be_name table {TABLE}"
    return f"http-request track-sc1 {where} if {{ method {' '.join(METHODS)} }} {{ {LENGTH} gt {FITS_BYTES} }}"


async def counts(worker: Path | None) -> dict[str, int]:
    """What a worker that is to go has counted: asked before another comes, since it answers nobody afterwards. Where
    it has died, the count begins anew."""
    try:
        return await ask(worker) if worker is not None else {}
    except admin.Silent:
        return {}


async def carry(told: Mapping[str, int], new: Path) -> None:
    """To a worker that has just come: tables are each worker's own. Raises `admin.Silent`."""
    if told:
        async with admin.session(new) as talk:
            for backend, count in told.items():
                await talk.ask(f"set table {TABLE} key {backend} data.http_req_cnt {count}")


async def ask(path: Path) -> dict[str, int]:
    """By backend, since the gateway began. Raises `admin.Silent`."""
    (answer,) = await admin.ask(path, [f"show table {TABLE}"])
    return read(answer)


def read(answer: str) -> dict[str, int]:
    rows = (ROW.match(line) for line in answer.splitlines())
    return {row[1]: int(row[2]) for row in rows if row}


def by_service(told: Mapping[str, int]) -> dict[str, int]:
    """NAMESPACE/SERVICE, all its ports and the routes that dress it; another backend under its own name."""
    found: dict[str, int] = {}
    for backend, count in sorted(told.items()):
        place = place_of(backend)
        name = "/".join(place) if place else backend
        found[name] = found.get(name, 0) + count
    return found


async def of_courtyard(run: Path) -> dict[str, int]:
    """By Service, for who stands outside the control process; empty where no gateway answers."""
    try:
        worker = json.loads((run / "gateway.json").read_bytes())["worker"]
        return by_service(await ask(Path(worker["admin"])))
    except (OSError, ValueError, LookupError, TypeError, admin.Silent):
        return {}
