"""One watch a kind for the whole of `loops`: list, watch, go on from the last revision, list again when too old.

In: kinds and who wants to hear of them. Out: calls with every change. After a gap, what vanished meanwhile is told
as DELETED, so that a listener never holds on to what is gone.
"""

import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable

from madang.ports.api import LocalApi
from madang.ports.clock import Clock
from madang.ports.errors import Expired, StatusError
from madang.ports.objects import Change, Entry, Key, Kind

log = logging.getLogger(__name__)
Listener = Callable[[Change], None]
RETRY_S = 0.2


class Told:
    """An entry for as long as the listeners of one change look at it: all of them read the same decoded object."""

    __slots__ = ("_entry", "obj")

    def __init__(self, entry: Entry) -> None:
        self._entry, self.obj = entry, entry.obj

    @property
    def key(self) -> Key:
        return self._entry.key

    @property
    def revision(self) -> int:
        return self._entry.revision

    @property
    def data(self) -> bytes:
        return self._entry.data


class Watcher:
    """Listeners are called in the loop's own thread and must not wait."""

    def __init__(self, api: LocalApi, clock: Clock) -> None:
        self._api, self._clock = api, clock
        self._listeners: dict[Kind, list[Listener]] = defaultdict(list)

    @property
    def kinds(self) -> list[Kind]:
        return list(self._listeners)

    def listen(self, kind: Kind, listener: Listener) -> None:
        """Before `run`."""
        self._listeners[kind].append(listener)

    async def run(self, kind: Kind) -> None:
        known: dict[Key, Entry] = {}
        since = 0
        while True:
            try:
                async for change in self._changes(kind, str(since or "")):
                    if change.type != "BOOKMARK":
                        self._tell(kind, change, known)
                    since = max(since, change.entry.revision)
            except Expired:
                since = 0
                self._sweep(kind, known)
            except StatusError as refusal:
                log.warning("watch of %s: %s; again in %s s", kind, refusal, RETRY_S)
                await self._clock.sleep(RETRY_S)
            else:
                # Cut off or timed out: go on from where we were, but never spin.
                await self._clock.sleep(0.01)

    def _changes(self, kind: Kind, since: str) -> AsyncIterator[Change]:
        return self._api.watch(kind, since=since, bookmarks=True)

    def _tell(self, kind: Kind, change: Change, known: dict[Key, Entry]) -> None:
        key = change.entry.key
        before = change.before or known.get(key)
        if change.type == "DELETED":
            known.pop(key, None)
        else:
            if before is not None and before.revision == change.entry.revision:
                return  # listed again, unchanged
            known[key] = change.entry
        listeners = self._listeners[kind]
        told = Change(change.type, change.entry, before)
        if len(listeners) > 1:
            told = Change(change.type, Told(change.entry), None if before is None else Told(before))
        for listener in listeners:
            try:
                listener(told)
            except Exception:
                # A bug of one listener, about one object: loud, but nobody else goes blind for it.
                log.exception("%s %s of %s/%s: a listener failed", told.type, kind, key.namespace, key.name)

    def _sweep(self, kind: Kind, known: dict[Key, Entry]) -> None:
        for key, entry in list(known.items()):
            if self._api.view.get(kind, key.namespace, key.name) is None:
                self._tell(kind, Change("DELETED", entry), known)
