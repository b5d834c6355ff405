"""Planted in the store: durability, versions, revisions, watches."""

from collections.abc import Sequence
from typing import Any

from madang.ports.journal import Loaded
from madang.store.history import History
from madang.store.journaled import JournaledStore
from madang.store.pipeline import Pipeline
from madang.store.watchers import Cursor, Watchers
from madang.world import disk
from madang.world.bugs.bug import Bug, nothing


def without_sync(right: Any) -> Any:
    def wrong(journal: Any, rows: Any) -> None:
        journal.append(rows)

    return wrong


def deaf_to_failure(right: Any) -> Any:
    def wrong(journal: Any, rows: Any) -> None:
        right(journal, rows)

    return wrong


def unconditional(right: Any) -> Any:
    return lambda self, key, encode, expect, *more: right(self, key, encode, None, *more)


def committed_only(right: Any) -> Any:
    return lambda self, key: self.get(key)


def only_flying(right: Any) -> Any:
    def wrong(self: Any, failure: Exception) -> None:
        waiting = list(self._waiting)
        self._waiting.clear()
        right(self, failure)
        self._waiting.extend(waiting)
        if waiting:
            self._loop.call_soon(self._flush)

    return wrong


def newest_living(right: Any) -> Any:
    def wrong(self: Any) -> Loaded:
        loaded = right(self)
        rows = list(loaded.rows)
        return Loaded(rows, max((row.revision for row in rows), default=0))

    return wrong


def torn_taken(right: Any) -> Any:
    def wrong(self: Any) -> Loaded:
        torn = list(self._disk.torn)
        loaded = right(self)
        rows = {row.key: row for row in (*loaded.rows, *torn)}
        return Loaded(list(rows.values()), max(loaded.revision, *(row.revision for row in torn), 0))

    return wrong


def one_lost(right: Any) -> Any:
    def wrong(self: Any) -> list[Any]:
        changes = right(self)
        return list(changes[1:]) if len(changes) > 1 else list(changes)

    return wrong


def from_one_before(right: Any) -> Any:
    return lambda self, kind, track, namespace, since: right(self, kind, track, namespace, since - 1)


def from_one_after(right: Any) -> Any:
    return lambda self, kind, track, namespace, since: right(self, kind, track, namespace, since + 1)


def first_kind_only(right: Any) -> Any:
    return lambda self, kinds: right(self, list(kinds)[:1])


BUGS: Sequence[Bug] = (
    Bug("no sync", "a write is acknowledged before it is on disk", disk, "commit", without_sync),
    Bug("deaf to failure", "a commit that failed counts as done", disk, "commit", deaf_to_failure),
    Bug("no version check", "a conditional write replaces whatever is there", JournaledStore, "_accept", unconditional),
    Bug(
        "committed only", "a write starts from what is visible, not accepted", JournaledStore, "newest", committed_only
    ),
    Bug("only the batch fails", "what stands on a failed batch is written", Pipeline, "_fail", only_flying),
    Bug("counts from the living", "a removal takes its revision along", disk.DiskJournal, "load", newest_living),
    Bug("torn rows taken", "half a batch is read back", disk.DiskJournal, "load", torn_taken),
    Bug("watch loses one", "a watcher misses a change of a burst", Cursor, "_read", one_lost),
    Bug("watch from one before", "a watcher sees its first change twice", Watchers, "open", from_one_before),
    Bug("watch from one after", "a watcher misses the first change", Watchers, "open", from_one_after),
    Bug("window unchecked", "a watch starts before the window, with a gap", History, "check", nothing),
    Bug("only one kind woken", "watchers of a batch's other kinds sleep on", Watchers, "wake", first_kind_only),
)
