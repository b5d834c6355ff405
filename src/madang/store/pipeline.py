"""The way of a write from acceptance to the disk: one batch flies, what is accepted meanwhile forms the next one.

In: entries with their revisions, in order. Out: each batch to `show` once it is durable, then its futures are
done. If a batch fails, everything accepted and not committed stands on top of it and fails with it.
All of it runs on one event loop; only the writer knows of disks and threads.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from madang.ports.journal import Row
from madang.ports.objects import Entry, Key
from madang.store.entry import StoredEntry
from madang.store.model import StoreFailed
from madang.store.writer import Writer

BATCH_WRITES = 512  # showing a batch holds the loop for some 10 us a write
WAITING_WRITES = 20_000


class Accepted:
    """A write that has its revision and is not committed yet."""

    __slots__ = ("done", "entry", "removed")

    def __init__(self, entry: StoredEntry, removed: bool, done: asyncio.Future[Entry]) -> None:
        self.entry = entry
        self.removed = removed
        self.done = done

    def row(self) -> Row:
        _, revision, data, _ = self.entry.record
        return Row(self.entry.key, revision, None if self.removed else data)


class Pipeline:
    def __init__(self, writer: Writer, show: Callable[[Sequence[Accepted]], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._writer = writer
        self._show = show
        self._newest: dict[tuple[str, ...], Accepted] = {}
        self._waiting: deque[Accepted] = deque()
        self._flying: list[Accepted] = []
        self._flush_due = False
        self._drained: asyncio.Future[None] | None = None

    def get(self, key: Key) -> Accepted | None:
        """The newest accepted write of the key that is not committed."""
        return self._newest.get(key)

    def check_room(self) -> None:
        if len(self._waiting) >= WAITING_WRITES:
            raise StoreFailed(f"{WAITING_WRITES} writes wait for the disk already: try again later")

    def accept(self, entry: StoredEntry, removed: bool) -> asyncio.Future[Entry]:
        accepted = Accepted(entry, removed, self._loop.create_future())
        self._newest[entry.record[0]] = accepted
        self._waiting.append(accepted)
        # Not written at once: all that is accepted in this step of the loop goes into one commit.
        if not self._flush_due and not self._flying:
            self._flush_due = True
            self._loop.call_soon(self._flush)
        return accepted.done

    async def drain(self) -> None:
        """Returns when nothing waits and nothing flies."""
        if self._newest:
            self._drained = self._loop.create_future()
            await self._drained

    def _flush(self) -> None:
        self._flush_due = False
        waiting = self._waiting
        self._flying = [waiting.popleft() for _ in range(min(len(waiting), BATCH_WRITES))]
        if self._flying:
            self._writer.submit([accepted.row() for accepted in self._flying], self._done)

    def _done(self, failure: Exception | None) -> None:
        if failure is not None:
            self._fail(failure)
        else:
            batch = self._flying
            self._flush()  # the disk works on the next batch while this one is shown
            self._show(batch)
            for accepted in batch:
                key = accepted.entry.record[0]
                if self._newest[key] is accepted:
                    del self._newest[key]
                if not accepted.done.done():  # its caller may have been cancelled
                    accepted.done.set_result(accepted.entry)
        if not self._newest and self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def _fail(self, failure: Exception) -> None:
        failed = [*self._flying, *self._waiting]
        self._flying = []
        self._waiting.clear()
        self._newest.clear()
        for accepted in failed:
            if not accepted.done.done():
                error = StoreFailed(str(failure) or repr(failure))
                error.__cause__ = failure
                accepted.done.set_exception(error)
