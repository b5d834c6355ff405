"""The window of past changes: what watches read from, and what exact lists of a past revision are made with.

In: changes in the order of their revisions. Out: changes of one kind by position, and the undo map to a past
revision. Bounded three ways. 10,000 changes: a rollout of a thousand pods makes about that many, and whoever
lists at its start can still go on at its end. 16 MiB of bytes: what the house can spare of its memory. Five
minutes: what clients of Kubernetes are used to; the newest thousand stay longer, since they cost little and
spare the clients of a laptop that slept a new list.
"""

from bisect import bisect_right
from collections import Counter, deque
from dataclasses import dataclass
from typing import NamedTuple, cast

from madang.ports.objects import Change, Key, Kind
from madang.store.entry import StoredEntry
from madang.store.model import HistoryGone
from madang.store.table import NOTHING_UNDONE, Undo


@dataclass(frozen=True, slots=True)
class Window:
    changes: int = 10_000
    size_bytes: int = 16 << 20
    age_s: float = 300.0
    ageless_changes: int = 1_000  # so many are kept whatever their age


class Track:
    """The changes of one kind. A position counts from the kind's first change ever, so it stays valid."""

    __slots__ = ("_changes", "_dropped")

    def __init__(self) -> None:
        self._changes: list[Change] = []
        self._dropped = 0

    @property
    def first(self) -> int:
        return self._dropped

    @property
    def end(self) -> int:
        return self._dropped + len(self._changes)

    def append(self, change: Change) -> None:
        self._changes.append(change)

    def drop(self, count: int) -> None:
        del self._changes[:count]
        self._dropped += count

    def after(self, revision: int) -> int:
        """The position of the first change that is newer than `revision`."""
        return self._dropped + bisect_right(self._changes, revision, key=lambda change: change.entry.revision)

    def read(self, position: int) -> list[Change]:
        return self._changes[position - self._dropped :]


class Mark(NamedTuple):
    """One change in the order of all kinds."""

    kind: Kind
    revision: int
    size_bytes: int
    at_s: float


class History:
    def __init__(self, revision: int, window: Window) -> None:
        self._oldest = revision
        self._window = window
        self._tracks: dict[Kind, Track] = {}
        self._marks: deque[Mark] = deque()
        self._size_bytes = 0

    @property
    def oldest(self) -> int:
        """The revision from which on every change is kept."""
        return self._oldest

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    def track(self, kind: Kind) -> Track:
        track = self._tracks.get(kind)
        if track is None:
            track = self._tracks[kind] = Track()
        return track

    def append(self, change: Change, now_s: float) -> None:
        entry = change.entry
        self.track(entry.key.kind).append(change)
        self._marks.append(Mark(entry.key.kind, entry.revision, len(entry.data), now_s))
        self._size_bytes += len(entry.data)

    def trim(self, now_s: float) -> None:
        """Lets go what has left the window; called once a commit."""
        dropped: Counter[Kind] = Counter()
        while self._marks and self._too_much(now_s):
            mark = self._marks.popleft()
            self._size_bytes -= mark.size_bytes
            self._oldest = mark.revision
            dropped[mark.kind] += 1
        for kind, count in dropped.items():
            self._tracks[kind].drop(count)

    def _too_much(self, now_s: float) -> bool:
        window, count = self._window, len(self._marks)
        return (
            count > window.changes
            or self._size_bytes > window.size_bytes
            or (count > window.ageless_changes and self._marks[0].at_s < now_s - window.age_s)
        )

    def check(self, revision: int) -> None:
        if revision < self._oldest:
            raise HistoryGone(revision, self._oldest)

    def undo(self, kind: Kind, revision: int) -> Undo:
        """What every key of the kind that has changed since held at `revision`. Raises HistoryGone."""
        self.check(revision)
        track = self._tracks.get(kind)
        if track is None:
            return NOTHING_UNDONE
        then: dict[Key, StoredEntry | None] = {}
        for change in track.read(track.after(revision)):
            then.setdefault(change.entry.key, cast("StoredEntry | None", change.before))
        return then
