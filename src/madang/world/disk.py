"""The make-believe disk: what is synced outlives every life; what is not may be lost, torn, or there all the same.

In: rows, through the port `Journal` and a `Writer` that takes virtual time. Out: the truth, `log` and `present`, and a
call to `committed` with each batch that became durable. A torn batch is thrown away at the next load, as SQLite does
by the checksums of its WAL.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

from madang.ports.journal import Journal, JournalFailed, Loaded, Row
from madang.ports.objects import Key, Kind
from madang.store.writer import Done, commit
from madang.world.loop import Killed

Fate = Literal["lost", "torn", "whole"]


class Disk:
    """One for the whole world."""

    def __init__(self, chance: random.Random, tally: Counter[str]) -> None:
        self._chance, self._tally = chance, tally
        self.present: dict[Key, Row] = {}
        self.log: dict[Kind, list[Row]] = {}
        self.durable: dict[Key, set[int]] = {}
        self.revision = 0
        self.full = 0.0  # the share of commits that fail
        self.slow_s = 0.0
        self.well_since_s = float("-inf")  # since when it is neither
        self.fate: Fate | None = None  # of the batch that the next sync is killed in
        self.torn: Sequence[Row] = ()
        self.kill: Callable[[], None] = lambda: None
        self.committed: Callable[[Sequence[Row]], None] = lambda rows: None

    def latency_s(self) -> float:
        if self.slow_s:
            self._tally["disk slow"] += 1
            return self.slow_s * self._chance.random()
        return 0.0005 + 0.002 * self._chance.random()

    def sync(self, rows: Sequence[Row]) -> None:
        if not rows:
            return
        if self.fate is not None and (self.fate != "torn" or len(rows) > 1):  # one row alone is there or not
            self._killed(self.fate, rows)
        if self.full and self._chance.random() < self.full:
            self._tally["disk full"] += 1
            raise JournalFailed("the disk is full")
        self.write(rows)

    def _killed(self, fate: Fate, rows: Sequence[Row]) -> None:
        self.fate = None
        self._tally[f"kill in fsync: {fate}"] += 1
        if fate == "whole":
            self.write(rows)
        elif fate == "torn":
            self.torn = rows[: self._chance.randrange(1, len(rows))]
        self.kill()
        raise Killed

    def write(self, rows: Sequence[Row]) -> None:
        self.committed(rows)  # first: it compares with what was there
        for row in rows:
            self.log.setdefault(row.key.kind, []).append(row)
            self.durable.setdefault(row.key, set()).add(row.revision)
            if row.data is None:
                self.present.pop(row.key, None)
            else:
                self.present[row.key] = row
        self.revision = rows[-1].revision


class DiskJournal:
    """The port, as one life holds it."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._appended: list[Row] = []

    def load(self) -> Loaded:
        self._disk.torn = ()
        return Loaded(list(self._disk.present.values()), self._disk.revision)

    def append(self, rows: Sequence[Row]) -> None:
        self._appended.extend(rows)

    def sync(self) -> None:
        rows, self._appended = self._appended, []
        self._disk.sync(rows)

    def close(self) -> None:
        self._appended.clear()


class DiskWriter:
    """Commits a while after it was asked, and tells of it a while later: a life can end in both."""

    def __init__(self, journal: Journal, disk: Disk, loop: asyncio.AbstractEventLoop) -> None:
        self._journal, self._disk, self._loop = journal, disk, loop

    def submit(self, rows: Sequence[Row], done: Done) -> None:
        self._loop.call_later(self._disk.latency_s(), self._write, rows, done)

    def _write(self, rows: Sequence[Row], done: Done) -> None:
        self._loop.call_later(self._disk.latency_s() / 4, done, commit(self._journal, rows))

    def close(self) -> None:
        self._journal.close()
