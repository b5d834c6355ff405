"""Where commits happen: one batch at a time, away from whoever accepts writes.

In: a batch of rows. Out: `done(None)` on the event loop once the batch is on disk, `done(failure)` if it is not.
`ThreadWriter` is the production one: the loop never waits for a disk. `InlineWriter` commits on the loop itself
in the next step, in the same order every time: for memory journals and the simulated world.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Protocol

from madang.ports.journal import Journal, Row

Done = Callable[[Exception | None], None]


class Writer(Protocol):
    def submit(self, rows: Sequence[Row], done: Done) -> None:
        """Not called again before `done` was. Never blocks, never calls `done` before it returns."""
        ...

    def close(self) -> None:
        """After the last batch is done. Closes the journal."""
        ...


def commit(journal: Journal, rows: Sequence[Row]) -> Exception | None:
    """One group commit. Whatever goes wrong, the batch is not durable and its writers must hear of it."""
    try:
        journal.append(rows)
        journal.sync()
    except Exception as failure:
        return failure
    return None


class InlineWriter:
    def __init__(self, journal: Journal, loop: asyncio.AbstractEventLoop) -> None:
        self._journal = journal
        self._loop = loop

    def submit(self, rows: Sequence[Row], done: Done) -> None:
        self._loop.call_soon(lambda: done(commit(self._journal, rows)))

    def close(self) -> None:
        self._journal.close()


class ThreadWriter:
    def __init__(self, journal: Journal, loop: asyncio.AbstractEventLoop) -> None:
        self._journal = journal
        self._loop = loop
        self._jobs: SimpleQueue[tuple[Sequence[Row], Done] | None] = SimpleQueue()
        # A daemon, so that a process that dies without closing its store does not hang on this thread.
        self._thread = threading.Thread(target=self._work, name="madang-store-writer", daemon=True)
        self._thread.start()

    def submit(self, rows: Sequence[Row], done: Done) -> None:
        self._jobs.put((rows, done))

    def close(self) -> None:
        self._jobs.put(None)
        self._thread.join()
        self._journal.close()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            rows, done = job
            failure = commit(self._journal, rows)
            try:
                self._loop.call_soon_threadsafe(done, failure)
            except RuntimeError:  # the loop was closed over us: nobody is left to hear it
                return
