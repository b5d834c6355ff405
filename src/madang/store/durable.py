"""The durable store: SQLite behind a writer thread. `open_store` is the one entry point.

In: the path of the state file, the indexer, a clock. Out: a `Store` with all that was ever acknowledged.
Raises JournalRefused (in use, newer schema, not ours) with a message for the user.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from madang.ports.clock import Clock
from madang.store.collector import collector_pace
from madang.store.entry import DECODED_BYTES
from madang.store.history import Window
from madang.store.journaled import JournaledStore
from madang.store.model import Indexer
from madang.store.sqlite import SqliteJournal
from madang.store.writer import ThreadWriter


async def open_store(
    path: Path,
    index: Indexer,
    clock: Clock,
    *,
    window: Window | None = None,
    decoded_bytes: int = DECODED_BYTES,
    say: Callable[[str], None] = lambda note: None,
) -> JournaledStore:
    """Loading blocks the loop (15,000 objects: a third of a second): nothing else can be done before it. `say` hears
    what the user should know of the file."""
    journal = SqliteJournal(path)
    try:
        if journal.older is not None:
            say(f"the state was brought from an older format to today's; as it was it is kept in {journal.older}")
        loaded = journal.load()
        writer = ThreadWriter(journal, asyncio.get_running_loop())
    except BaseException:
        journal.close()
        raise
    return JournaledStore(
        loaded, writer, index, clock, window=window, decoded_bytes=decoded_bytes, committed=collector_pace()
    )
