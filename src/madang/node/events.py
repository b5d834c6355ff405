"""The node's events: merged, counted, written in the background.

In: `emit` calls, which never wait. Out: Event objects as a kubelet writes them. Equal events (object, field path,
type, reason, message) are one object whose count grows.
"""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass

from madang.kinds.events import counted, event, reference
from madang.kinds.times import format_seconds
from madang.ports.api import Api
from madang.ports.chance import Chance
from madang.ports.clock import Clock
from madang.ports.errors import AlreadyExists, NotFound, StatusError
from madang.ports.objects import Obj

log = logging.getLogger(__name__)
_KEPT = 1000  # distinct events remembered for merging
_MERGE_S = 3600.0  # an event's life: later ones are new
_AT_ONCE = 16

Key = tuple[str, str, str, str, str]


@dataclass(slots=True)
class _Record:
    body: Obj
    first_s: float
    count: int = 1
    written: int = 0  # the count that the stored event has


class Recorder:
    """`component` is the source (kubelet), `host` its node."""

    def __init__(self, api: Api, clock: Clock, chance: Chance, component: str, host: str) -> None:
        self._api, self._clock, self._chance = api, clock, chance
        self._component, self._host = component, host
        self._records: OrderedDict[Key, _Record] = OrderedDict()
        self._dirty: dict[Key, _Record] = {}
        self._wake = asyncio.Event()

    def emit(self, about: Obj, type_: str, reason: str, message: str, field_path: str = "") -> None:
        """`about` is the object (kind and apiVersion may be missing: a pod's are taken)."""
        key = (about["metadata"].get("uid", ""), field_path, type_, reason, message)
        now = self._clock.now_s()
        record = self._records.get(key)
        if record is not None and now - record.first_s < _MERGE_S:
            record.count += 1
        else:
            record = _Record(self._body(about, type_, reason, message, field_path), now)
            self._records[key] = record
        record.body = {**record.body, "count": record.count, "lastTimestamp": format_seconds(now)}
        self._records.move_to_end(key)
        while len(self._records) > _KEPT:
            self._records.popitem(last=False)
        self._dirty[key] = record
        self._wake.set()

    async def run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self.flush()

    async def flush(self) -> None:
        """Write what has been said until now."""
        while self._dirty:
            batch = [self._dirty.pop(k) for k in list(self._dirty)[:_AT_ONCE]]
            if len(batch) == 1:
                await self._write(batch[0])
            else:
                await asyncio.gather(*(self._write(r) for r in batch))

    async def _write(self, record: _Record) -> None:
        body = record.body
        meta = body["metadata"]
        try:
            if record.written:
                change = {"count": body["count"], "lastTimestamp": body["lastTimestamp"]}
                try:
                    await self._api.patch("events", meta["namespace"], meta["name"], change)
                except NotFound:
                    record.written = 0
            if not record.written:
                await self._api.create("events", body, namespace=meta["namespace"])
            record.written = body["count"]
        except AlreadyExists:
            record.written = body["count"]
        except StatusError as e:
            # An event is not worth failing for: its namespace may be going away, the disk may be full.
            log.debug("event %s not written: %s", meta["name"], e)

    def _body(self, about: Obj, type_: str, reason: str, message: str, field_path: str) -> Obj:
        whom = reference(about.get("kind", "Pod"), about.get("apiVersion", "v1"), about, field_path)
        tail = self._chance.uid().replace("-", "")[:16]
        source = {"component": self._component, "host": self._host}
        made = counted(event(tail, whom, type_, reason, message, self._component), source, self._clock.now_s())
        return made | {"eventTime": None, "reportingInstance": self._host}
