"""One stored object: its encoded bytes, kept once, and a decoded view on demand.

In: key, revision, bytes, index terms. Out: an `Entry` of `ports.objects`. Decoded dicts weigh ten times their
bytes and burden Python's collector, so only the last used few are kept, bounded by the size of their bytes.
"""

from collections import OrderedDict
from sys import intern

import orjson

from madang.ports.objects import Key, Obj
from madang.store.model import Term

DECODED_BYTES = 1 << 20  # about 10 MB of dicts


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

    def obj(self, revision: int, data: bytes) -> Obj:
        hit = self._kept.get(revision)
        if hit is not None:
            self._kept.move_to_end(revision)
            return hit[0]
        obj: Obj = orjson.loads(data)
        self._kept[revision] = (obj, len(data))
        self._size_bytes += len(data)
        while self._size_bytes > self._limit_bytes and len(self._kept) > 1:
            self._size_bytes -= self._kept.popitem(last=False)[1][1]
        return obj


class StoredEntry:
    """Nobody changes one, except that the table shares equal `terms` between entries."""

    __slots__ = ("_decoded", "data", "key", "revision", "terms")

    def __init__(self, key: Key, revision: int, data: bytes, terms: tuple[Term, ...], decoded: Decoded) -> None:
        self.key = key
        self.revision = revision
        self.data = data
        self.terms = terms
        self._decoded = decoded

    @property
    def obj(self) -> Obj:
        return self._decoded.obj(self.revision, self.data)

    def __repr__(self) -> str:
        return f"<{self.key.kind} {self.key.namespace}/{self.key.name} @{self.revision}>"


def lean(key: Key) -> Key:
    """The same key with its kind and namespace shared by all keys that name them."""
    return Key(intern(key.kind), intern(key.namespace), key.name)
