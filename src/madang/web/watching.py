"""Keeps the facts of all objects while somebody looks: what is there, then each change.

In: the API's lists and watches. Out: `facts`, by kind and (namespace, name), and a call for every fact that became
another. A change that alters no fact wakes nobody.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from madang.ports.api import LocalApi
from madang.ports.clock import Clock
from madang.ports.errors import Expired, StatusError
from madang.ports.objects import Kind, Obj, ref
from madang.web.reading import READERS

log = logging.getLogger(__name__)
RETRY_S = 0.2


class Watching:
    def __init__(self, api: LocalApi, clock: Clock, changed: Callable[[], None]) -> None:
        self._api, self._clock, self._changed = api, clock, changed
        self.facts: dict[Kind, dict[tuple[str, str], Any]] = {kind: {} for kind in READERS}

    async def run(self, ready: asyncio.Event) -> None:
        """`ready` is set once everything was read."""
        listed = [asyncio.Event() for _ in READERS]
        async with asyncio.TaskGroup() as group:
            for kind, event in zip(READERS, listed):
                group.create_task(self._follow(kind, event), name=f"dashboard watch {kind}")
            for event in listed:
                await event.wait()
            ready.set()

    async def _follow(self, kind: Kind, listed: asyncio.Event) -> None:
        """After a gap, everything is read again: what vanished meanwhile is gone."""
        while True:
            try:
                page = await self._api.list(kind)
                found = {ref(e.obj): READERS[kind](e.obj) for e in page.entries}
                if found != self.facts[kind]:
                    self.facts[kind] = found
                    self._changed()
                listed.set()
                async for change in self._api.watch(kind, since=page.revision):
                    if change.type != "BOOKMARK":
                        self._take(kind, change.entry.obj, gone=change.type == "DELETED")
            except Expired:
                continue
            except StatusError as refusal:
                log.warning("watching %s: %s", kind, refusal)
                await self._clock.sleep(RETRY_S)

    def _take(self, kind: Kind, obj: Obj, *, gone: bool) -> None:
        mine, key = self.facts[kind], ref(obj)
        before = mine.get(key)
        if gone:
            mine.pop(key, None)
            after = None
        else:
            after = mine[key] = READERS[kind](obj)
        if after != before:
            self._changed()
