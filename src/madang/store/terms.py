"""Which keys hold which index term, for one kind.

In: keys with their terms. Out: keys by term, and the terms again, equal ones shared between all that hold them.
Most owners and names have one key only, which then stands alone: no set, and nothing for Python's collector.
"""

from collections.abc import Iterable, Sequence

from madang.store.entry import PlainKey
from madang.store.model import Term

Bucket = tuple[Term, PlainKey | set[PlainKey]]


class TermIndex:
    __slots__ = ("_buckets",)

    def __init__(self) -> None:
        self._buckets: dict[Term, Bucket] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def add(self, key: PlainKey, terms: tuple[Term, ...]) -> tuple[Term, ...]:
        """The terms, shared."""
        shared = []
        buckets = self._buckets
        for term in terms:
            bucket = buckets.get(term)
            if bucket is None:
                buckets[term] = (term, key)
                shared.append(term)
                continue
            first, keys = bucket
            if isinstance(keys, set):
                keys.add(key)
            elif keys != key:
                buckets[first] = (first, {keys, key})
            shared.append(first)
        return tuple(shared)

    def discard(self, key: PlainKey, terms: tuple[Term, ...]) -> None:
        for term in terms:
            bucket = self._buckets.get(term)
            if bucket is None:
                continue
            keys = bucket[1]
            if isinstance(keys, set):
                keys.discard(key)
                if not keys:
                    del self._buckets[term]
            elif keys == key:
                del self._buckets[term]

    def fewest(self, terms: Sequence[Term]) -> Iterable[PlainKey]:
        """The keys of the rarest of the terms; none where a term is held by nobody."""
        if len(terms) == 1:
            only = self._buckets.get(terms[0])
            if only is None:
                return ()
            return only[1] if isinstance(only[1], set) else (only[1],)
        buckets = [self._buckets.get(term) for term in terms]
        found = [bucket[1] for bucket in buckets if bucket is not None]
        if len(found) < len(buckets):
            return ()
        alone = next((keys for keys in found if not isinstance(keys, set)), None)
        if alone is not None:
            return (alone,)
        return min((keys for keys in found if isinstance(keys, set)), key=len, default=())
