"""What every verb has at hand: the store, time and chance, the settings, the index and who signs tokens.

Made once by `direct.DirectApi`; a verb is a function of (desk, user, what is asked).
"""

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import NamedTuple

from madang.api.index import Index
from madang.api.tokens import Tokens
from madang.kinds.kind import Kind
from madang.ports.chance import Chance
from madang.ports.clock import Clock
from madang.ports.errors import Unavailable
from madang.ports.objects import Entry, Key, Obj
from madang.ports.settings import Settings
from madang.ports.streams import Samples
from madang.store.model import Store, StoreFailed, Term


@dataclass(slots=True)
class Desk:
    store: Store
    index: Index
    clock: Clock
    chance: Chance
    settings: Settings
    tokens: Tokens | None = None
    samples: Samples | None = None
    ca_pem: str = ""  # what clients of the API trust: into every namespace's kube-root-ca.crt
    held: set[Term] = field(default_factory=set)  # what writes in flight were given (`admit.grants`)
    living: set[int] = field(default_factory=set)  # revisions of namespaces known not to be dying
    next_address: int = 0
    next_node_port: int = 0
    next_port: int = 0

    def newest(self, row: Kind, namespace: str, name: str) -> Entry | None:
        """The newest accepted state: what a read-modify-write starts from. Between this and `put` nothing is awaited,
        so that no other writer can come between."""
        return self.store.newest(Key(row.id, namespace, name))

    def put(self, key: Key, obj: Obj, expect: int) -> Awaitable[Entry]:
        """Accepted when this returns, on disk when the awaitable is done. Raises StaleRevision."""
        try:
            return self.store.put(key, lambda revision: self.index.encode(obj, revision), expect=expect, obj=obj)
        except StoreFailed as fault:
            raise not_stored(fault) from fault

    def remove(self, key: Key, obj: Obj, expect: int) -> Awaitable[Entry]:
        try:
            return self.store.remove(key, lambda revision: self.index.encode(obj, revision), expect=expect)
        except StoreFailed as fault:
            raise not_stored(fault) from fault


class Outcome(NamedTuple):
    """What a write came to: the entry as stored, or the object alone where nothing was stored (a dry run, an answer
    of another kind)."""

    entry: Entry | None = None
    obj: Obj | None = None
    created: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def answer(self) -> Obj:
        if self.obj is not None:
            return self.obj
        assert self.entry is not None
        return self.entry.obj


async def durable(awaitable: Awaitable[Entry]) -> Entry:
    """The entry once it is on disk; a disk that refuses is the API's 503."""
    try:
        return await awaitable
    except StoreFailed as fault:
        raise not_stored(fault) from fault


def not_stored(fault: StoreFailed) -> Unavailable:
    return Unavailable(f"the write was not stored: {fault}")
