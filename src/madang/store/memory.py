"""The memory twin: the same store over a journal that keeps its rows in a dict. No thread, no file, no chance.

For tests and for the simulated world. The journal may be kept and given to the next store, as a disk would be.
"""

import asyncio
from collections.abc import Sequence

from madang.ports.clock import Clock
from madang.ports.journal import Journal, Loaded, Row
from madang.ports.objects import Key
from madang.store.history import Window
from madang.store.journaled import JournaledStore
from madang.store.model import Indexer
from madang.store.writer import InlineWriter


class MemoryJournal:
    """Rows appended and not synced are lost by `crash`, as after a power cut."""

    def __init__(self) -> None:
        self._durable: dict[Key, Row] = {}
        self._revision = 0
        self._appended: list[Row] = []

    def load(self) -> Loaded:
        return Loaded(list(self._durable.values()), self._revision)

    def append(self, rows: Sequence[Row]) -> None:
        self._appended.extend(rows)

    def sync(self) -> None:
        for row in self._appended:
            if row.data is None:
                self._durable.pop(row.key, None)
            else:
                self._durable[row.key] = row
            self._revision = row.revision
        self._appended.clear()

    def crash(self) -> None:
        self._appended.clear()

    def close(self) -> None:
        self._appended.clear()


def memory_store(
    index: Indexer, clock: Clock, *, journal: Journal | None = None, window: Window | None = None
) -> JournaledStore:
    """A store on the running event loop, committing one step of the loop after acceptance."""
    journal = MemoryJournal() if journal is None else journal
    return JournaledStore(
        journal.load(), InlineWriter(journal, asyncio.get_running_loop()), index, clock, window=window
    )
