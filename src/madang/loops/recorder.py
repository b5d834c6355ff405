"""Events: what was done and why, for people. Equal ones are merged and counted, floods are held back.

In: Emit actions. Out: core/v1 Event objects through the API, written behind the back of who told them (client-go's
EventRecorder: merge by object, type, reason and message; a burst of 25 an object, then one in five minutes).
The scheduler tells in the newer form (events.k8s.io: eventTime, no count) as Kubernetes' own does.
"""

import asyncio
import logging
from collections import OrderedDict
from typing import NamedTuple

from madang.kinds.events import counted, event, reference
from madang.kinds.table import by_id
from madang.kinds.times import format_micros, format_seconds
from madang.ports.actions import Emit
from madang.ports.api import Api
from madang.ports.clock import Clock
from madang.ports.errors import NotFound, StatusError
from madang.ports.objects import Obj

log = logging.getLogger(__name__)
WAITING = 2000  # Events not yet written; beyond that they are dropped and counted
REMEMBERED = 4096
BURST, REFILL_S = 25, 300.0


class Merged(NamedTuple):
    namespace: str
    name: str
    times: int


class Recorder:
    """One a component. `run` writes; `record` never waits."""

    def __init__(self, api: Api, clock: Clock, component: str, *, series: bool = False) -> None:
        self._api, self._clock, self._component, self._series = api, clock, component, series
        self._waiting: asyncio.Queue[Emit] = asyncio.Queue(WAITING)
        self._merged: OrderedDict[tuple[str, ...], Merged] = OrderedDict()
        self._tokens: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._last_ns = 0
        self.dropped = 0

    def record(self, emit: Emit) -> None:
        try:
            self._waiting.put_nowait(emit)
        except asyncio.QueueFull:
            self.dropped += 1

    async def run(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            seen = {identity(batch[0])}
            while not self._waiting.empty() and len(batch) < 64:
                following = self._waiting.get_nowait()
                if identity(following) in seen:  # its count must see the one before
                    await self._write_all(batch)
                    batch, seen = [], set()
                batch.append(following)
                seen.add(identity(following))
            await self._write_all(batch)

    async def _write_all(self, batch: list[Emit]) -> None:
        if len(batch) == 1:
            await self._write(batch[0])
            return
        async with asyncio.TaskGroup() as group:
            for emit in batch:
                group.create_task(self._write(emit))

    async def _write(self, emit: Emit) -> None:
        if not self._allowed(str(emit.about["metadata"].get("uid", ""))):
            self.dropped += 1
            return
        key = identity(emit)
        try:
            known = self._merged.get(key)
            if known is None or not await self._count(key, known):
                await self._create(key, emit)
        except StatusError as refusal:
            # A namespace on its way out takes no Events; nothing else is lost by it.
            log.debug("event %s about %s not written: %s", emit.reason, emit.about["metadata"]["name"], refusal)
        except Exception:
            log.exception("event %s about %s failed", emit.reason, emit.about["metadata"]["name"])

    async def _count(self, key: tuple[str, ...], known: Merged) -> bool:
        count = known.times + 1
        patch: Obj
        if self._series:
            patch = {"series": {"count": count, "lastObservedTime": format_micros(self._clock.now_s())}}
        else:
            patch = {"count": count, "lastTimestamp": format_seconds(self._clock.now_s())}
        self._merged[key] = known._replace(times=count)
        try:
            await self._api.patch("events", known.namespace, known.name, patch)
        except NotFound:  # it has expired
            self._merged.pop(key, None)
            return False
        return True

    async def _create(self, key: tuple[str, ...], emit: Emit) -> None:
        now = self._clock.now_s()
        self._last_ns = max(self._last_ns + 1, int(now * 1e9))
        made = event_object(emit, f"{self._last_ns:x}", self._component, now, series=self._series)
        meta = made["metadata"]
        self._merged[key] = Merged(meta["namespace"], meta["name"], 1)
        while len(self._merged) > REMEMBERED:
            self._merged.popitem(last=False)
        await self._api.create("events", made, namespace=meta["namespace"])

    def _allowed(self, uid: str) -> bool:
        now = self._clock.monotonic_s()
        tokens, at = self._tokens.pop(uid, (float(BURST), now))
        tokens = min(float(BURST), tokens + (now - at) / REFILL_S)
        self._tokens[uid] = (tokens - 1 if tokens >= 1 else tokens, now)
        while len(self._tokens) > REMEMBERED:
            self._tokens.popitem(last=False)
        return tokens >= 1


def identity(emit: Emit) -> tuple[str, ...]:
    uid = str(emit.about["metadata"].get("uid", ""))
    return emit.kind, uid, emit.type, emit.reason, emit.message, emit.field_path


def event_object(emit: Emit, tail: str, component: str, now: float, *, series: bool) -> Obj:
    row = by_id(emit.kind)
    about = reference(row.kind, row.api_version, emit.about, emit.field_path)
    made = event(tail, about, emit.type, emit.reason, emit.message[:1024], component)
    if not series:
        return counted(made, {"component": component}, now)
    return made | {
        "eventTime": format_micros(now),
        "action": "Binding" if emit.reason == "Scheduled" else "Scheduling",
        "reportingInstance": f"{component}-madang",
    }
