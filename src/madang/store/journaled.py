"""The store itself: accepts writes, has them committed in groups, shows them once they are durable.

In: puts and removals. Out: entries, listings, watches. Everything happens on one event loop; a writer
(`store.writer`) takes batches to the journal. `store.durable` and `store.memory` put the parts together.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from madang.ports.clock import Clock
from madang.ports.journal import Loaded, Row
from madang.ports.objects import Entry, Key, Kind, Obj
from madang.store.entry import DECODED_BYTES, Decoded, StoredEntry, plain
from madang.store.history import History, Past, Window
from madang.store.model import Encode, Indexer, Listing, StaleRevision, StoreFailed, Term
from madang.store.pipeline import Accepted, Pipeline
from madang.store.table import NOTHING_UNDONE, Table
from madang.store.watchers import Cursor, Watchers
from madang.store.writer import Writer


class JournaledStore:
    """The `Store` of `store.model`. Made on the event loop that it will live on."""

    def __init__(
        self,
        loaded: Loaded,
        writer: Writer,
        index: Indexer,
        clock: Clock,
        *,
        window: Window | None = None,
        decoded_bytes: int = DECODED_BYTES,
        committed: Callable[[int, int], None] = lambda objects, writes: None,
    ) -> None:
        """`committed` hears after each commit how many objects there are, and how many writes it had."""
        self._committed = committed
        self._writer = writer
        self._index = index
        self._clock = clock
        self._decoded = Decoded(decoded_bytes)
        self._tables = tables_of(loaded, index)
        self._count = sum(map(len, self._tables.values()))  # of objects
        self._revision = self._given = loaded.revision
        self._history = History(loaded.revision, window or Window(), self._decoded)
        self._watchers = Watchers()
        self._pipeline = Pipeline(writer, self._show)
        self._closing: asyncio.Future[None] | None = None

    def snapshot(self) -> Loaded:
        """All that is committed now. Taken at once, without copying a byte; any thread may read its rows later."""
        records = [record for table in self._tables.values() for record in table.all()]
        return Loaded((Row(Key._make(key), revision, data) for key, revision, data, _ in records), self._revision)

    @property
    def revision(self) -> int:
        return self._revision

    @property
    def oldest(self) -> int:
        return self._history.oldest

    def get(self, key: Key) -> StoredEntry | None:
        table = self._tables.get(key[0])
        record = None if table is None else table.get(key)
        return None if record is None else StoredEntry(record, self._decoded)

    def object(self, key: tuple[str, str, str]) -> Obj | None:
        table = self._tables.get(key[0])
        record = None if table is None else table.get(key)
        return None if record is None else self._decoded.obj(record[1], record[2])

    def objects(self, kind: Kind, namespace: str | None, terms: Sequence[Term]) -> Sequence[Obj]:
        table = self._tables.get(kind)
        if table is None:
            return []
        obj = self._decoded.obj
        return [obj(record[1], record[2]) for record in table.select(namespace, terms, None, 0)[0]]

    def newest(self, key: Key) -> StoredEntry | None:
        accepted = self._pipeline.get(key)
        if accepted is None:
            return self.get(key)
        return None if accepted.removed else accepted.entry

    def list(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        terms: Sequence[Term] = (),
        after: tuple[str, str] | None = None,
        limit: int = 0,
        at: int | None = None,
    ) -> Listing:
        """An `at` that is not reached yet gives the present state, under the present revision."""
        undo, revision = NOTHING_UNDONE, self._revision
        if at is not None and at < revision:
            undo, revision = self._history.undo(kind, at), at
        table = self._tables.get(kind)
        if table is None:
            return Listing([], revision)
        records, remaining = table.select(namespace, terms, after, limit, undo)
        decoded = self._decoded
        return Listing([StoredEntry(record, decoded) for record in records], revision, remaining)

    def put(self, key: Key, encode: Encode, *, expect: int | None, obj: Obj | None = None) -> Awaitable[Entry]:
        return self._accept(key, encode, expect, False, obj)

    def remove(self, key: Key, encode: Encode, *, expect: int | None) -> Awaitable[Entry]:
        """StaleRevision also where there is nothing to remove, whatever was expected."""
        return self._accept(key, encode, expect, True)

    def watch(self, kind: Kind, namespace: str | None = None, *, since: int | None = None) -> Cursor:
        open_only(self._closing)
        if since is None:
            since = self._revision
        self._history.check(since)
        return self._watchers.open(kind, self._history.track(kind), namespace, since)

    async def close(self) -> None:
        """Commits what was accepted, refuses what comes now, ends every watch. May be called twice."""
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_future()
            await self._pipeline.drain()
            self._watchers.close()
            self._writer.close()
            self._closing.set_result(None)
        await asyncio.shield(self._closing)

    def _accept(
        self, key: Key, encode: Encode, expect: int | None, removed: bool, obj: Obj | None = None
    ) -> Awaitable[Entry]:
        open_only(self._closing)
        newest = self.newest(key)
        there = 0 if newest is None else newest.revision
        if (expect is not None and expect != there) or (removed and newest is None):
            raise StaleRevision(key, newest)
        self._pipeline.check_room()
        revision = self._given + 1
        data = encode(revision)
        terms = () if removed else tuple(self._index(key.kind, data))
        record = (plain(key) if newest is None else newest.record[0], revision, data, terms)
        self._given = revision  # not before: an encoder that raises uses no revision
        if obj is not None:
            self._decoded.keep(revision, obj, len(data))
        return self._pipeline.accept(StoredEntry(record, self._decoded), removed)

    def _show(self, batch: Sequence[Accepted]) -> None:
        now_s = self._clock.monotonic_s()
        for accepted in batch:
            past = applied(self._tables, accepted)
            self._count += (past[0] == "ADDED") - (past[0] == "DELETED")
            self._history.append(past, now_s)
        self._revision = batch[-1].entry.revision
        self._history.trim(now_s)
        self._committed(self._count, len(batch))
        self._watchers.wake({accepted.entry.record[0][0]: None for accepted in batch})


def open_only(closing: "asyncio.Future[None] | None") -> None:
    if closing is not None:
        raise StoreFailed("the store is closed")


def applied(tables: dict[Kind, Table], accepted: Accepted) -> Past:
    """What is durable, put in its place."""
    record = accepted.entry.record
    kind = record[0][0]
    table = tables.get(kind)
    if table is None:
        table = tables[kind] = Table(kind)
    if accepted.removed:
        return ("DELETED", record, table.remove(record[0]))
    record, before = table.put(record)
    accepted.entry.record = record  # its terms are shared now
    return ("ADDED" if before is None else "MODIFIED", record, before)


def tables_of(loaded: Loaded, index: Indexer) -> dict[Kind, Table]:
    tables: dict[Kind, Table] = {}
    for row in loaded.rows:
        if row.data is not None:
            terms = tuple(index(row.key.kind, row.data))
            record = (plain(row.key), row.revision, row.data, terms)
            tables.setdefault(row.key.kind, Table(row.key.kind)).load(record)  # one by one: it shares the terms
    for table in tables.values():
        table.sort()
    return tables
