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

    __slots__ = (
        "_alarm", "_closed", "_due_s", "_namespace", "_position", "_since", "_track", "_waiter", "_watchers", "kind",
    )  # fmt: skip

    def __init__(self, watchers: "Watchers", kind: Kind, track: Track, namespace: str | None, since: int) -> None:
        self.kind = kind
        self._watchers = watchers
        self._track = track
        self._namespace = namespace
        self._since = since  # may lie ahead of what is committed: the position alone does not say it
        self._position = track.after(since)
        self._waiter: asyncio.Future[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._due_s: float | None = None  # when who waits now has waited long enough
        self._closed = False

    async def next(self, most_s: float | None = None) -> Sequence[Change]:
        loop = asyncio.get_running_loop()
        self._due_s = None
        if most_s is not None:
            self._due_s = loop.time() + most_s
            if self._alarm is None or self._alarm.when() > self._due_s:
                self._arm(loop, self._due_s)
        while not self._closed:
            if self._position < self._track.first:
                self.close()
                break
            changes = self._read()
            if changes:
                return changes
            if self._due_s is not None and loop.time() >= self._due_s:
                raise TimeoutError
            self._waiter = loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return []

    def _arm(self, loop: asyncio.AbstractEventLoop, at_s: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = loop.call_at(at_s, self._ring, loop)

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        """One timer for all waits: most of them end long before it rings, and then it is set anew, not each time."""
        self._alarm = None
        if self._waiter is None or self._due_s is None:
            return
        if loop.time() < self._due_s:
            self._arm(loop, self._due_s)
        else:
            self.wake()

    def ready(self) -> Sequence[Change]:
        if self._closed or self._position < self._track.first:
            return []
        return self._read()

    def _read(self) -> list[Change]:
        track, end = self._track, self._track.end
        if self._position == end:
            return []
        changes = track.read(self._position)
        self._position = end
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
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
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
