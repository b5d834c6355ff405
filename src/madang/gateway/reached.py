"""Whether HAProxy sends requests to all instances that are ready: it hears of them a moment after the API does.

In: Services and pods, the runtime socket of the worker that serves. Out: yes or no. For who has just been told that
all is ready, and is about to ask.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from madang.gateway.services import backend_name
from madang.haproxy import admin
from madang.ports.objects import Obj

COMMAND = "show servers state"
NAME, ADDRESS, OPERATION, ADMINISTRATION = 1, 4, 5, 6  # columns of its rows
RUNNING, NOT_KEPT_OUT = "2", "0"

Addresses = Mapping[str, frozenset[str]]  # of instances, by backend


def wanted(services: Iterable[Obj], pods: Iterable[Obj]) -> Addresses:
    """What should be reached, of Services that have an address."""
    ready = [pod for pod in pods if is_ready(pod) and not pod["metadata"].get("deletionTimestamp")]
    found: dict[str, frozenset[str]] = {}
    for service in services:
        spec, meta = service["spec"], service["metadata"]
        selector = (spec.get("selector") or {}).items()
        if not selector or spec.get("type") == "ExternalName" or spec.get("clusterIP") in (None, "", "None"):
            continue
        mine = [pod for pod in ready if selector <= (pod["metadata"].get("labels") or {}).items()]
        addresses = frozenset(pod["status"]["podIP"] for pod in mine if pod["status"].get("podIP"))
        for port in spec.get("ports") or ():
            if port.get("protocol", "TCP") == "TCP":
                found[backend_name(meta.get("namespace", ""), meta["name"], port["port"])] = addresses
    return found


def is_ready(pod: Obj) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def read(answer: str) -> Addresses:
    """Who gets requests, by HAProxy's own word."""
    found: dict[str, set[str]] = {}
    for row in (line.split() for line in answer.splitlines()):
        if len(row) > ADMINISTRATION and row[OPERATION] == RUNNING and row[ADMINISTRATION] == NOT_KEPT_OUT:
            found.setdefault(row[NAME], set()).add(row[ADDRESS])
    return {name: frozenset(addresses) for name, addresses in found.items()}


async def all_reached(run: Path, expected: Addresses) -> bool:
    """No, where no gateway answers: another is on its way."""
    try:
        worker = json.loads((run / "gateway.json").read_bytes())["worker"]
        (answer,) = await admin.ask(Path(worker["admin"]), [COMMAND])
    except (OSError, ValueError, LookupError, TypeError, admin.Silent):
        return False
    there = read(answer)
    return all(addresses <= there.get(name, frozenset()) for name, addresses in expected.items())
