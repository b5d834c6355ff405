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

from madang.ports.objects import Change, ChangeType, Kind
from madang.store.entry import Decoded, PlainKey, Record, StoredEntry
from madang.store.model import HistoryGone
from madang.store.table import NOTHING_UNDONE, Undo


@dataclass(frozen=True, slots=True)
class Window:
    changes: int = 10_000
    size_bytes: int = 16 << 20
    age_s: float = 300.0
    ageless_changes: int = 1_000  # so many are kept whatever their age


SHARED_CHANGES = 1_000  # more are read by one that starts far back, alone

# Plain tuples, which Python's collector forgets (see `store.entry`).
Past = tuple[ChangeType, Record, Record | None]
Mark = tuple[Kind, int, int, float]  # one change in the order of all kinds: kind, revision, bytes, seconds


class Track:
    """The changes of one kind. A position counts from the kind's first change ever, so it stays valid."""

    __slots__ = ("_decoded", "_dropped", "_last", "_past")

    def __init__(self, decoded: Decoded) -> None:
        self._past: list[Past] = []
        self._dropped = 0
        self._decoded = decoded
        self._last: tuple[int, int, list[Change]] = (0, 0, [])

    @property
    def first(self) -> int:
        return self._dropped

    @property
    def end(self) -> int:
        return self._dropped + len(self._past)

    def append(self, past: Past) -> None:
        self._past.append(past)

    def drop(self, count: int) -> None:
        del self._past[:count]
        self._dropped += count

    def after(self, revision: int) -> int:
        """The position of the first change that is newer than `revision`."""
        return self._dropped + bisect_right(self._past, revision, key=lambda past: past[1][1])

    def past(self, position: int) -> list[Past]:
        return self._past[position - self._dropped :]

    def read(self, position: int) -> list[Change]:
        """Not to be changed: watchers that wake together and stand at the same place get the same list."""
        start, end, changes = self._last
        newest = self._dropped + len(self._past)
        if start != position or end != newest:
            decoded = self._decoded
            changes = [
                Change(type_, StoredEntry(record, decoded), None if before is None else StoredEntry(before, decoded))
                for type_, record, before in self.past(position)
            ]
            if len(changes) <= SHARED_CHANGES:
                self._last = (position, newest, changes)
        return changes


class History:
    def __init__(self, revision: int, window: Window, decoded: Decoded) -> None:
        self._decoded = decoded
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
            track = self._tracks[kind] = Track(self._decoded)
        return track

    def append(self, past: Past, now_s: float) -> None:
        (kind, _, _), revision, data, _ = past[1]
        self.track(kind).append(past)
        self._marks.append((kind, revision, len(data), now_s))
        self._size_bytes += len(data)

    def trim(self, now_s: float) -> None:
        """Lets go what has left the window; called once a commit."""
        if not self._too_much(now_s):
            return
        dropped: Counter[Kind] = Counter()
        while self._too_much(now_s):
            kind, self._oldest, size_bytes, _ = self._marks.popleft()
            self._size_bytes -= size_bytes
            dropped[kind] += 1
        for kind, count in dropped.items():
            self._tracks[kind].drop(count)

    def _too_much(self, now_s: float) -> bool:
        window, count = self._window, len(self._marks)
        return count > 0 and (
            count > window.changes
            or self._size_bytes > window.size_bytes
            or (count > window.ageless_changes and self._marks[0][3] < now_s - window.age_s)
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
        then: dict[PlainKey, Record | None] = {}
        for _, record, before in track.past(track.after(revision)):
            then.setdefault(record[0], before)
        return then
