"""One stored object: its encoded bytes, kept once, and a decoded view on demand.

In: key, revision, bytes, index terms. Out: an `Entry` of `ports.objects`. What the store keeps is a plain tuple,
the record: Python's collector forgets plain tuples of plain values (no instance of a class, named tuples
included, is ever forgotten), so that its pauses do not grow with what the house holds. An entry is a light
handle on a record, made when somebody asks. Decoded dicts weigh ten times their bytes and burden the collector,
so only the last used few are kept, bounded by the size of their bytes.
"""

from collections import OrderedDict
from sys import intern

import orjson

from madang.ports.objects import Key, Obj
from madang.store.model import Term

DECODED_BYTES = 1 << 20  # about 10 MB of dicts

PlainKey = tuple[str, str, str]  # equal to the `Key` and hashed like it
Record = tuple[PlainKey, int, bytes, tuple[Term, ...]]  # key, revision, data, terms


class Decoded:
    """The last used decoded objects of one store, by revision (a revision names one state of one object)."""

    __slots__ = ("_kept", "_limit_bytes", "_size_bytes")

    def __init__(self, limit_bytes: int = DECODED_BYTES) -> None:
        self._kept: OrderedDict[int, tuple[Obj, int]] = OrderedDict()
        self._limit_bytes = limit_bytes
        self._size_bytes = 0

    @property
    def size_bytes(self) -> int:
        return self._size_bytes

    def keep(self, revision: int, obj: Obj, size_bytes: int) -> None:
        """What was just encoded: its first reader need not decode it."""
        self._kept[revision] = (obj, size_bytes)
        self._size_bytes += size_bytes
        while self._size_bytes > self._limit_bytes and len(self._kept) > 1:
            self._size_bytes -= self._kept.popitem(last=False)[1][1]

    def obj(self, revision: int, data: bytes) -> Obj:
        kept = self._kept
        hit = kept.get(revision)
        if hit is not None:
            kept.move_to_end(revision)
            return hit[0]
        obj: Obj = orjson.loads(data)
        self.keep(revision, obj, len(data))
        return obj


class StoredEntry:
    """Equal to any other handle on the same state."""

    __slots__ = ("_decoded", "record")

    def __init__(self, record: Record, decoded: Decoded) -> None:
        self.record = record
        self._decoded = decoded

    @property
    def key(self) -> Key:
        return tuple.__new__(Key, self.record[0])

    @property
    def revision(self) -> int:
        return self.record[1]

    @property
    def data(self) -> bytes:
        return self.record[2]

    @property
    def obj(self) -> Obj:
        return self._decoded.obj(self.record[1], self.record[2])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StoredEntry) and self.record[:3] == other.record[:3]

    def __hash__(self) -> int:
        return hash(self.record[:2])

    def __repr__(self) -> str:
        kind, namespace, name = self.record[0]
        return f"<{kind} {namespace}/{name} @{self.record[1]}>"


def plain(key: Key) -> PlainKey:
    """The same key as a plain tuple, with its kind and namespace shared by all keys that name them."""
    return (intern(key.kind), intern(key.namespace), key.name)
