"""Drives placement: keeps the tally from watches, places what waits, binds, tells why not.

In: pods, nodes and namespaces as they change. Out: bindings, the condition PodScheduled, Events. A pod that fits
nowhere is tried again when something changed that can help it (a node, a pod gone), never by a timer alone but once
in five minutes. All that waits is placed in one go against one tally; a binding on its way counts as taken.
"""

import asyncio
import logging
from dataclasses import dataclass
from functools import partial

from madang.kinds import claims
from madang.kinds.phase import ended
from madang.loops.hand import Hand
from madang.loops.pause import pause
from madang.loops.recorder import Recorder
from madang.loops.unschedulable import evictions, told
from madang.loops.watcher import Watcher
from madang.placement.decision import Awaiting, Placed, Refused, in_order, place
from madang.placement.tally import Tally
from madang.placement.wants import read
from madang.ports.actions import Action, Bind, Emit
from madang.ports.api import LocalApi, User
from madang.ports.clock import Clock
from madang.ports.objects import Change, Obj

log = logging.getLogger(__name__)
NAME = "default-scheduler"
USER = User("system:kube-scheduler")
AT_ONCE = 100  # pods a round: the loop must not stand still for long
QUIET_S = 0.1  # between two retries of all that fits nowhere
FLUSH_S = 300.0
BY_VOLUMES = "VolumeBinding"  # what a claim or a volume may cure
# Refusals that another pod's arrival may cure; all others need room or a node.
BY_COMPANY = {"InterPodAffinity", "PodTopologySpread"}


@dataclass(slots=True)
class Stuck:
    pod: Obj
    message: str
    filters: frozenset[str]


class Scheduler:
    def __init__(self, api: LocalApi, watcher: Watcher, clock: Clock) -> None:
        mine: LocalApi = api.as_(USER)  # type: ignore[assignment]
        self._clock, self._api = clock, mine
        self._recorder = Recorder(mine, clock, NAME, series=True)
        self._hand = Hand(mine, self._recorder, NAME)
        self.tally = Tally()
        self._waiting: dict[str, Obj] = {}
        self._stuck: dict[str, Stuck] = {}
        self._binding: set[str] = set()
        self._wake = asyncio.Event()
        self._retry_at = float("inf")  # when the stuck are tried again
        self._retried_at = float("-inf")
        watcher.listen("namespaces", partial(labels_of_namespace, self.tally))
        watcher.listen("nodes", self._node)
        watcher.listen("pods", self._pod)
        for kind in (claims.CLAIMS, claims.VOLUMES, claims.CLASSES):
            watcher.listen(kind, self._stored)

    def _node(self, change: Change) -> None:
        if change.type == "DELETED":
            self.tally.remove_node(change.entry.key.name)
            return
        if change.before is not None and bearing(change.before.obj) == bearing(change.entry.obj):
            return  # a heartbeat
        self.tally.set_node(change.entry.obj)
        self._retry()

    def _stored(self, change: Change) -> None:
        """A claim, a volume or a class has changed: pods may wait for just that."""
        self.tally.storage.hear(change.entry.key, None if change.type == "DELETED" else change.entry.obj)
        if any(BY_VOLUMES in stuck.filters for stuck in self._stuck.values()):
            self._retry(at_once=True)

    def _pod(self, change: Change) -> None:
        pod = change.entry.obj
        uid, node = pod["metadata"]["uid"], pod["spec"].get("nodeName")
        if change.type == "DELETED" or ended(pod):
            self._forget(uid)
            if uid in self.tally.where:
                self.tally.unseat(uid)
                self._retry()
        elif node:
            self._forget(uid)
            self._seat(pod, node)
        elif mine(pod):
            if uid not in self._binding and not self._same(uid, pod):
                self._stuck.pop(uid, None)
                self._waiting[uid] = pod
                self._wake.set()
        else:
            self._forget(uid)

    def _same(self, uid: str, pod: Obj) -> bool:
        """Whether a stuck pod only got the condition that we gave it."""
        stuck = self._stuck.get(uid)
        if stuck is None or stuck.pod["spec"] != pod["spec"]:
            return False
        stuck.pod = pod
        return True

    def _seat(self, pod: Obj, node: str) -> None:
        uid, leaving = pod["metadata"]["uid"], "deletionTimestamp" in pod["metadata"]
        if self.tally.where.get(uid) == node:
            seat = self.tally.seats[self.tally.place[node]][uid]
            if seat.leaving == leaving and seat.wants.labels == (pod["metadata"].get("labels") or {}):
                return
        self.tally.seat(read(pod), node, leaving=leaving)
        if any(stuck.filters & BY_COMPANY for stuck in self._stuck.values()):
            self._retry()

    def _forget(self, uid: str) -> None:
        self._waiting.pop(uid, None)
        self._stuck.pop(uid, None)

    def _retry(self, *, at_once: bool = False) -> None:
        if self._stuck:
            quiet = 0.0 if at_once else QUIET_S
            self._retry_at = min(self._retry_at, max(self._clock.monotonic_s(), self._retried_at + quiet))
            self._wake.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._recorder.run())
            group.create_task(self._rounds())

    async def _rounds(self) -> None:
        while True:
            if not self._waiting:
                await self._pause()
            now = self._clock.monotonic_s()
            if now >= self._retry_at:
                self._retry_at, self._retried_at = float("inf"), now
                self._waiting |= {uid: stuck.pod for uid, stuck in self._stuck.items()}
            await self._round()

    async def _pause(self) -> None:
        """Until something wakes us, or the stuck are due."""
        self._wake.clear()
        due = min(self._retry_at, self._retried_at + FLUSH_S) if self._stuck else float("inf")
        if due == float("inf"):
            await self._wake.wait()
            return
        self._retry_at = due
        await pause(self._clock, max(0.0, due - self._clock.monotonic_s()), self._wake)

    async def _round(self) -> None:
        batch = in_order(self._waiting.values())[:AT_ONCE]
        for pod in batch:
            del self._waiting[pod["metadata"]["uid"]]
        placed: list[Placed] = []
        refusals: list[Action] = []  # and what claims are given
        for result in map(self._place, batch):
            if isinstance(result, Placed):
                self._stuck.pop(result.pod["metadata"]["uid"], None)
                placed.append(result)
            elif isinstance(result, Awaiting):
                self._stuck[result.pod["metadata"]["uid"]] = Stuck(result.pod, "", frozenset({BY_VOLUMES}))
                refusals += result.actions
            else:
                refusals += self._refuse(result)
        async with asyncio.TaskGroup() as group:
            for one in placed:
                self._binding.add(one.pod["metadata"]["uid"])
                group.create_task(self._bind(one))
            if refusals:
                group.create_task(self._hand.carry_out(refusals))

    def _place(self, pod: Obj) -> Placed | Awaiting | Refused:
        """A pod that placement stumbles over must not stop all others."""
        try:
            return place(self.tally, pod)
        except Exception as bug:
            log.exception("placing %s/%s failed", pod["metadata"]["namespace"], pod["metadata"]["name"])
            return Refused(pod, f"internal error while scheduling: {bug}", frozenset({"Bug"}))

    async def _bind(self, placed: Placed) -> None:
        meta = placed.pod["metadata"]
        uid, namespace, name = meta["uid"], meta["namespace"], meta["name"]
        try:
            outcome = await self._hand.carry_out([Bind(namespace, name, uid, placed.node)])
        finally:
            self._binding.discard(uid)
        if not outcome.again:
            text = f"Successfully assigned {namespace}/{name} to {placed.node}"
            self._recorder.record(Emit("pods", placed.pod, "Normal", "Scheduled", text))
            return
        present = self._api.view.get("pods", namespace, name)
        if present is not None and present["metadata"]["uid"] == uid and present["spec"].get("nodeName"):
            return  # somebody else was quicker: the watch tells where
        self.tally.unseat(uid)
        if present is not None and present["metadata"]["uid"] == uid and mine(present):
            self._stuck[uid] = Stuck(present, "", frozenset())
            self._retried_at = self._clock.monotonic_s()
            self._retry()

    def _refuse(self, refused: Refused) -> list[Action]:
        pod = refused.pod
        uid, known = pod["metadata"]["uid"], self._stuck.get(pod["metadata"]["uid"])
        self._stuck[uid] = Stuck(pod, refused.message, refused.filters)
        if known is not None and known.message == refused.message:
            return evictions(refused, self._api.view)
        event = Emit("pods", pod, "Warning", "FailedScheduling", refused.message)
        return [*told(refused, self._clock.now_s()), event, *evictions(refused, self._api.view)]


def labels_of_namespace(tally: Tally, change: Change) -> None:
    name = change.entry.key.name
    if change.type == "DELETED":
        tally.namespaces.pop(name, None)
    else:
        tally.namespaces[name] = change.entry.obj["metadata"].get("labels") or {}


def mine(pod: Obj) -> bool:
    spec = pod["spec"]
    return (
        not spec.get("schedulingGates")
        and spec.get("schedulerName", NAME) == NAME
        and "deletionTimestamp" not in pod["metadata"]
    )


def bearing(node: Obj) -> tuple[object, ...]:
    """What of a node placement looks at."""
    spec, status = node.get("spec") or {}, node.get("status") or {}
    return spec, node["metadata"].get("labels"), status.get("allocatable"), status.get("capacity")
