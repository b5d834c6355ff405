"""The committed objects of one kind: by key, in order, and by index term.

In: records as they become visible. Out: records, and ordered slices of them, now or (given the history's
undo map) as of a past revision. Keys of one kind sort by (namespace, name), which is the order of every list.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping, Sequence
from typing import cast

from madang.ports.objects import Kind
from madang.store.entry import PlainKey, Record
from madang.store.model import Term
from madang.store.terms import TermIndex

Undo = Mapping[PlainKey, Record | None]  # what each key held then, where that differs from now
NOTHING_UNDONE: Undo = {}


# Keeps a table's dict in the collector's sight: a dict of plain values only is let go by a full collection, and taken
# up again with the next write as if it were new, so that a young collection walks all of it.
SEEN = ("",)
SEEN_RECORD = cast("Record", ([],))


class Table:
    __slots__ = ("_kind", "_order", "_records", "_terms")

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._records: dict[tuple[str, ...], Record] = {SEEN: SEEN_RECORD}
        self._order: list[PlainKey] = []
        self._terms = TermIndex()

    def __len__(self) -> int:
        return len(self._order)

    def get(self, key: tuple[str, ...]) -> Record | None:
        return self._records.get(key)

    def all(self) -> list[Record]:
        return [self._records[key] for key in self._order]

    def load(self, record: Record) -> None:
        """A new key, out of order: `sort` follows once all are there."""
        key, revision, data, terms = record
        self._records[key] = (key, revision, data, self._terms.add(key, terms))
        self._order.append(key)

    def sort(self) -> None:
        self._order.sort()

    def put(self, record: Record) -> tuple[Record, Record | None]:
        """The record as it is kept, and the one that it replaces."""
        key, revision, data, terms = record
        before = self._records.get(key)
        if before is None:
            insort(self._order, key)
            terms = self._terms.add(key, terms)
        elif before[3] == terms:
            terms = before[3]
        else:
            self._terms.discard(key, before[3])
            terms = self._terms.add(key, terms)
        kept = self._records[key] = (key, revision, data, terms)
        return kept, before

    def remove(self, key: PlainKey) -> Record | None:
        before = self._records.pop(key, None)
        if before is not None:
            del self._order[bisect_left(self._order, key)]
            self._terms.discard(key, before[3])
        return before

    def select(
        self,
        namespace: str | None,
        terms: Sequence[Term],
        after: tuple[str, str] | None,
        limit: int,
        undo: Undo = NOTHING_UNDONE,
    ) -> tuple[list[Record], int]:
        """Records in order, and how many more follow the last of them."""
        records = self._records
        keys = self._candidates(terms, undo)
        if not keys:
            return [], 0
        low, high = self._bounds(keys, namespace, after)
        if not terms:  # the common list: two bisections and a slice
            end = min(high, low + limit) if limit else high
            return [undo.get(key) or records[key] for key in keys[low:end]], high - end
        if not undo:
            found = [records[key] for key in keys[low:high]]
            if len(terms) > 1:  # of one term alone the candidates are all
                found = [record for record in found if all(term in record[3] for term in terms)]
        else:
            then = [undo[key] if key in undo else records[key] for key in keys[low:high]]
            found = [record for record in then if record is not None and all(term in record[3] for term in terms)]
        cut = min(len(found), limit) if limit else len(found)
        return found[:cut], len(found) - cut

    def _bounds(self, keys: list[PlainKey], namespace: str | None, after: tuple[str, str] | None) -> tuple[int, int]:
        low, high = 0, len(keys)
        if namespace is not None:
            low = bisect_left(keys, (self._kind, namespace, ""))
            high = bisect_left(keys, (self._kind, namespace + "\0", ""), low)
        if after is None:
            return low, high
        low = max(low, bisect_right(keys, (self._kind, *after)))
        return low, max(low, high)

    def _candidates(self, terms: Sequence[Term], undo: Undo) -> list[PlainKey]:
        if terms:
            found = self._terms.fewest(terms)
            if undo:
                return sorted({*found, *undo})
            return sorted(found) if found else []
        if not undo:
            return self._order
        hidden = {key for key, record in undo.items() if record is None}  # not there yet at that time
        gone = [key for key in undo if key not in self._records and key not in hidden]
        keys = [key for key in self._order if key not in hidden] if hidden else self._order
        return sorted(keys + gone) if gone else keys
