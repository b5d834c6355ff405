"""The port between the store's commit logic and a disk: rows appended, made durable together, read back at start.

In: rows in the order of their revisions. Out: after `sync` returns, all that was appended since the last `sync` is
on disk; if `append` or `sync` raises, nothing of it is. Calls block, and come from one thread at a time.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from madang.ports.objects import Key


class JournalFailed(Exception):
    """The rows could not be made durable (a full disk, say): none of them is. Later calls may succeed again."""


class JournalRefused(Exception):
    """The journal cannot be opened at all: written by a newer version, in use by another process, not ours."""


class Row(NamedTuple):
    """One object's state as of `revision`; `data` None says that it was removed."""

    key: Key
    revision: int
    data: bytes | None


class Loaded(NamedTuple):
    """All live rows, in no order, and the newest revision that was ever made durable, removals included."""

    rows: Iterable[Row]
    revision: int


class Journal(Protocol):
    def load(self) -> Loaded: ...

    def append(self, rows: Sequence[Row]) -> None: ...

    def sync(self) -> None: ...

    def close(self) -> None: ...
