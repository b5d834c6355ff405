"""Planted in what decides: api, controllers, placement, loops."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from madang.api import delete as deleting
from madang.api import update as updating
from madang.control import collector, endpointslice, nodelifecycle, replicaset
from madang.control.deployment import numbers
from madang.control.deployment import revisions as deployment_revisions
from madang.control.job import count as counting
from madang.control.job import decision as job
from madang.loops.hand import Hand
from madang.loops.queue import KeyedQueue
from madang.loops.scheduler import Scheduler
from madang.loops.watcher import Watcher
from madang.placement import decision as placing
from madang.placement import filters
from madang.placement.tally import Tally
from madang.world.bugs.bug import Bug, answers, nothing


def without_finalizers(right: Any) -> Any:
    return lambda new: bool(new["metadata"].get("deletionGracePeriodSeconds"))


def dying(right: Any) -> Any:
    return lambda obj: bool(obj["metadata"].get("deletionTimestamp"))


def empty(right: Any) -> Any:
    return frozenset()


def without_fit(right: Any) -> Any:
    return tuple(one for one in right if one.refuses is not filters.fits)


def without_grace(right: Any) -> Any:
    return lambda *args: 0


def all_ready(right: Any) -> Any:
    def wrong(service: Any, p: Any) -> Any:
        made = right(service, p)
        return {**made, "conditions": {**made["conditions"], "ready": True}}

    return wrong


def busy_lost(right: Any) -> Any:
    def wrong(self: Any, key: Any) -> None:
        if key not in self._busy:
            right(self, key)

    return wrong


def never_again(right: Any) -> Any:
    """A failed decision is not made again: its back-off is forgotten."""
    return lambda self, key: 0.0


def conflicts_done(right: Any) -> Any:
    async def wrong(self: Any, action: Any) -> bool:
        await right(self, action)
        return True

    return wrong


def unseated(right: Any) -> Any:
    def wrong(self: Any, i: int, requests: Any, sign: int) -> None:
        if sign < 0:
            right(self, i, requests, sign)

    return wrong


def one_more(right: Any) -> Any:
    def wrong(rs: Any, reference: Any, count: int, *rest: Any) -> Any:
        return right(rs, reference, count + 1, *rest)

    return wrong


def oldest_first(right: Any) -> Any:
    """Scaling down takes ready pods before those that are not."""

    def wrong(mine: Any, related: Any, count: int, now: float) -> Any:
        return sorted(mine, key=lambda p: -_ready(p))[:count]

    return wrong


def _ready(pod: Any) -> int:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def twice(right: Any) -> Any:
    def wrong(found: Any, pods: Any, finished: bool) -> Any:
        counted = right(found, pods, finished)
        return replace(counted, succeeded=counted.succeeded * 2)

    return wrong


BUGS: Sequence[Bug] = (
    Bug("finalizers forgotten", "what waits for finalizers goes at once", deleting, "_waits", without_finalizers),
    Bug("any write ends it", "a write to what is dying removes it, finalizers or not", updating, "finished", dying),
    Bug("no grace", "a running pod's object goes before its programs", deleting, "_grace", without_grace),
    Bug("unready endpoints", "a pod gets traffic before it is ready", endpointslice, "endpoint", all_ready),
    Bug("no floor", "a rollout takes all old pods at once", numbers, "max_unavailable", answers(100)),
    Bug("no ceiling", "a rollout makes all new pods at once", numbers, "max_surge", answers(100)),
    Bug("nothing collected", "dependents of what was deleted stay", collector, "decide", answers([])),
    Bug("nodes stay tainted", "a node that is open again takes no pods", nodelifecycle, "OURS", empty),
    Bug("one pod more", "a ReplicaSet makes one more than it lacks", replicaset, "creations", one_more),
    Bug("ready ones first", "scaling down takes ready pods first", replicaset, "surplus", oldest_first),
    Bug("counted twice", "a Job counts each success twice", job, "count", twice),
    Bug("job lets go early", "a Job's pods are not tracked to their end", counting, "tracked", answers(False)),
    Bug("woken while busy", "a key woken while it is decided is lost", KeyedQueue, "add", busy_lost),
    Bug("never again", "a decision that failed is not made again", KeyedQueue, "add_backoff", never_again),
    Bug("conflict is done", "a write that lost against another counts as made", Hand, "_one", conflicts_done),
    Bug("gap untold", "after a gap, what vanished is not told", Watcher, "_sweep", nothing),
    Bug("no room needed", "a pod is placed where it does not fit", placing, "FILTERS", without_fit),
    Bug("seats uncounted", "a placed pod takes no room", Tally, "_count", unseated),
    Bug("stuck for ever", "a pod that fitted nowhere is not tried again", Scheduler, "_retry", nothing),
    Bug(
        "new pods by the old set", "a rollout is not noticed", deployment_revisions, "new_name", answers(("same", "1"))
    ),
)
