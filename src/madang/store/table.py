"""The committed objects of one kind: by key, in order, and by index term.

In: entries as they become visible. Out: entries, and ordered slices of them, now or (given the history's
undo map) as of a past revision. Keys of one kind sort by (namespace, name), which is the order of every list.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence

from madang.ports.objects import Key, Kind
from madang.store.entry import StoredEntry
from madang.store.model import Term

Undo = Mapping[Key, StoredEntry | None]  # what each key held then, where that differs from now
NOTHING_UNDONE: Undo = {}


class Bucket:
    """The keys of one term. Most owners and names have one key only: it needs no set."""

    __slots__ = ("keys", "term")

    def __init__(self, term: Term, key: Key) -> None:
        self.term = term
        self.keys: Key | set[Key] = key

    def add(self, key: Key) -> None:
        if isinstance(self.keys, set):
            self.keys.add(key)
        elif self.keys != key:
            self.keys = {self.keys, key}

    def discard(self, key: Key) -> bool:
        """True when no key is left."""
        if isinstance(self.keys, set):
            self.keys.discard(key)
            return not self.keys
        return self.keys == key

    def __len__(self) -> int:
        return len(self.keys) if isinstance(self.keys, set) else 1

    def all(self) -> Iterable[Key]:
        return self.keys if isinstance(self.keys, set) else (self.keys,)


class Table:
    __slots__ = ("_buckets", "_entries", "_kind", "_order")

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._entries: dict[Key, StoredEntry] = {}
        self._order: list[Key] = []
        self._buckets: dict[Term, Bucket] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> StoredEntry | None:
        return self._entries.get(key)

    def load(self, entry: StoredEntry) -> None:
        """A new key, out of order: `sort` follows once all are there."""
        self._entries[entry.key] = entry
        self._index(entry)

    def sort(self) -> None:
        self._order = sorted(self._entries)

    def put(self, entry: StoredEntry) -> StoredEntry | None:
        """The entry that it replaces."""
        before = self._entries.get(entry.key)
        if before is None:
            insort(self._order, entry.key)
            self._index(entry)
        elif before.terms == entry.terms:
            entry.terms = before.terms
        else:
            self._unindex(before)
            self._index(entry)
        self._entries[entry.key] = entry
        return before

    def remove(self, key: Key) -> StoredEntry | None:
        before = self._entries.pop(key, None)
        if before is not None:
            del self._order[bisect_left(self._order, key)]
            self._unindex(before)
        return before

    def select(
        self,
        namespace: str | None,
        terms: Sequence[Term],
        after: tuple[str, str] | None,
        limit: int,
        undo: Undo = NOTHING_UNDONE,
    ) -> tuple[list[StoredEntry], int]:
        """Entries in order, and how many more follow the last of them."""
        if not terms and not undo:  # the common list: two bisections and a slice
            low, high = self._bounds(self._order, namespace, after)
            end = min(high, low + limit) if limit else high
            entries = self._entries
            return [entries[key] for key in self._order[low:end]], high - end
        keys = self._candidates(terms, undo)
        low, high = self._bounds(keys, namespace, after)
        found = []
        for key in keys[low:high]:
            entry = undo[key] if key in undo else self._entries[key]
            if entry is not None and all(term in entry.terms for term in terms):
                found.append(entry)
        cut = min(len(found), limit) if limit else len(found)
        return found[:cut], len(found) - cut

    def _bounds(self, keys: list[Key], namespace: str | None, after: tuple[str, str] | None) -> tuple[int, int]:
        low, high = 0, len(keys)
        if namespace is not None:
            low = bisect_left(keys, Key(self._kind, namespace, ""))
            high = bisect_left(keys, Key(self._kind, namespace + "\0", ""))
        if after is not None:
            low = max(low, bisect_right(keys, Key(self._kind, *after)))
        return low, max(low, high)

    def _candidates(self, terms: Sequence[Term], undo: Undo) -> list[Key]:
        if not terms:
            gone = [key for key in undo if key not in self._entries]
            return sorted(self._order + gone) if gone else self._order
        buckets = [self._buckets.get(term) for term in terms]
        smallest = min((b for b in buckets if b is not None), key=len, default=None)
        keys: Iterable[Key] = () if smallest is None or (None in buckets) else smallest.all()
        return sorted({*keys, *undo}) if undo else sorted(keys)

    def _index(self, entry: StoredEntry) -> None:
        shared = []
        for term in entry.terms:
            bucket = self._buckets.get(term)
            if bucket is None:
                bucket = self._buckets[term] = Bucket(term, entry.key)
            else:
                bucket.add(entry.key)
            shared.append(bucket.term)
        entry.terms = tuple(shared)

    def _unindex(self, entry: StoredEntry) -> None:
        for term in entry.terms:
            bucket = self._buckets.get(term)
            if bucket is not None and bucket.discard(entry.key):
                del self._buckets[term]
