"""The store's contract (DESIGN section 5): what goes in, what comes out, in which order.

Reads answer at once from committed state in memory. A write is checked against the newest *accepted* state and
gets its revision at acceptance; it is visible, and its awaitable done, once it is on disk. If a commit fails,
that batch and everything accepted on top of it fail, and their revisions are never used again.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from madang.ports.objects import Change, Entry, Key, Kind, Obj

# Index terms of an object, e.g. ("owner", uid), ("label", "app=web"), ("node", "node-1").
Term = tuple[str, str]
# From a kind and its encoded bytes to its terms; given to the store at construction (`api.index`).
Indexer = Callable[[Kind, bytes], Iterable[Term]]
# Encodes an object once its revision is known: the revision stands in the bytes.
Encode = Callable[[int], bytes]


class StaleRevision(Exception):
    """The newest accepted state is not the one that the writer expected. `newest` is it (None: there is none)."""

    def __init__(self, key: Key, newest: Entry | None) -> None:
        super().__init__(f"{key.kind} {key.namespace}/{key.name} has changed")
        self.key = key
        self.newest = newest


class StoreFailed(Exception):
    """The write could not be made durable (a full disk, say); nothing of it is visible."""


class HistoryGone(Exception):
    """The revision asked for has left the history window."""

    def __init__(self, asked: int, oldest: int) -> None:
        super().__init__(f"revision {asked} is older than the oldest kept, {oldest}")
        self.asked = asked
        self.oldest = oldest


class Listing(NamedTuple):
    """Entries in order of (namespace, name), as of `revision`; `remaining` more follow after the last."""

    entries: Sequence[Entry]
    revision: int
    remaining: int = 0


class Watch(Protocol):
    """A cursor over changes. `next` waits for at least one and gives all that are there, in order; an empty list
    means that the watcher was too slow and was cut off, or that it was closed: list again."""

    async def next(self, most_s: float | None = None) -> Sequence[Change]:
        """Raises TimeoutError where nothing has come for so long."""
        ...

    def ready(self) -> Sequence[Change]:
        """What is there already, without waiting; empty also where the watcher was cut off (`next` tells)."""
        ...

    def close(self) -> None: ...


class Store(Protocol):
    @property
    def revision(self) -> int:
        """The newest committed revision."""
        ...

    @property
    def oldest(self) -> int:
        """The oldest revision from which a watch or an exact list can still start."""
        ...

    def get(self, key: Key) -> Entry | None: ...

    def object(self, key: tuple[str, str, str]) -> Obj | None:
        """What `get` gives, decoded: decisions look at objects often, and at nothing else. The key may be plain."""
        ...

    def newest(self, key: Key) -> Entry | None:
        """The newest accepted state, committed or not: what a read-modify-write starts from."""
        ...

    def list(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        terms: Sequence[Term] = (),
        after: tuple[str, str] | None = None,
        limit: int = 0,
        at: int | None = None,
    ) -> Listing:
        """All terms must hold. `after` is the (namespace, name) to go on behind; `at` an exact past revision
        (HistoryGone where it has left the window)."""
        ...

    def objects(self, kind: Kind, namespace: str | None, terms: Sequence[Term]) -> Sequence[Obj]:
        """What `list` gives of the present, decoded."""
        ...

    def put(self, key: Key, encode: Encode, *, expect: int | None, obj: Obj | None = None) -> Awaitable[Entry]:
        """`obj` is what `encode` encodes, where it is at hand: nobody may change it from then on.
        `expect` is the revision of the newest accepted state, 0 for "there is none", None for "whatever".
        Raises StaleRevision at once; the awaitable raises StoreFailed."""
        ...

    def remove(self, key: Key, encode: Encode, *, expect: int | None) -> Awaitable[Entry]:
        """`encode` gives the last state, as the DELETED event shows it, under the revision of the deletion."""
        ...

    def watch(self, kind: Kind, namespace: str | None = None, *, since: int | None = None) -> Watch:
        """Changes after `since` (None: from now on). HistoryGone where it has left the window."""
        ...

    async def close(self) -> None: ...
