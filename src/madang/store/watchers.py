"""Watches: cursors over the history, without a buffer of their own.

In: the history's tracks and one wake-up a commit. Out: all changes that are there, in order, at once. A cursor
whose place has left the history window was too slow: it is cut off and must list again, so memory stays bounded
by the window whatever the watchers do.
"""

import asyncio
from collections.abc import Iterable, Sequence

from madang.ports.objects import Change, Kind
from madang.store.history import Track


class Cursor:
    """The `Watch` of one kind, in one namespace or all. One reader at a time."""

    __slots__ = ("_closed", "_namespace", "_position", "_since", "_track", "_waiter", "_watchers", "kind")

    def __init__(self, watchers: "Watchers", kind: Kind, track: Track, namespace: str | None, since: int) -> None:
        self.kind = kind
        self._watchers = watchers
        self._track = track
        self._namespace = namespace
        self._since = since  # may lie ahead of what is committed: the position alone does not say it
        self._position = track.after(since)
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False

    async def next(self) -> Sequence[Change]:
        while not self._closed:
            if self._position < self._track.first:
                self.close()
                break
            changes = self._read()
            if changes:
                return changes
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return []

    def ready(self) -> Sequence[Change]:
        if self._closed or self._position < self._track.first:
            return []
        return self._read()

    def _read(self) -> list[Change]:
        if self._position == self._track.end:
            return []
        changes = self._track.read(self._position)
        self._position = self._track.end
        if changes[0].entry.revision <= self._since:
            changes = [change for change in changes if change.entry.revision > self._since]
        if self._namespace is not None:
            changes = [change for change in changes if change.entry.key.namespace == self._namespace]
        return changes

    def wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def close(self) -> None:
        self._closed = True
        self._watchers.forget(self)
        self.wake()


class Watchers:
    """All open cursors by kind, in the order in which they came, so that they wake in the same order every time."""

    def __init__(self) -> None:
        self._open: dict[Kind, dict[Cursor, None]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._open.values()))

    def open(self, kind: Kind, track: Track, namespace: str | None, since: int) -> Cursor:
        cursor = Cursor(self, kind, track, namespace, since)
        self._open.setdefault(kind, {})[cursor] = None
        return cursor

    def wake(self, kinds: Iterable[Kind]) -> None:
        for kind in kinds:
            for cursor in self._open.get(kind, ()):
                cursor.wake()

    def forget(self, cursor: Cursor) -> None:
        kept = self._open.get(cursor.kind)
        if kept is not None:
            kept.pop(cursor, None)
            if not kept:
                del self._open[cursor.kind]

    def close(self) -> None:
        for kept in list(self._open.values()):
            for cursor in list(kept):
                cursor.close()
