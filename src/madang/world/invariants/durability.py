"""An acknowledged write is on disk, a revision never goes back, a conditional write replaces what it was made from.

In: what the store was asked and what it acknowledged; batches as they become durable; stores as lives open
them. Out: breaches.
"""

from collections.abc import Sequence

from madang.ports.journal import Row
from madang.ports.objects import Key
from madang.world.life import WitnessedStore
from madang.world.world import World


class Durability:
    def __init__(self, world: World) -> None:
        self._world = world
        self._expected: dict[int, int | None] = {}
        self._there: dict[Key, int] = {}
        self._newest = 0

    def asked(self, key: Key, revision: int, expect: int | None) -> None:
        self._expected[revision] = expect

    def acknowledged(self, key: Key, revision: int) -> None:
        if revision not in self._world.disk.durable.get(key, ()):
            self._world.breach("acknowledged is durable", f"{key} was acknowledged at {revision}, and is not on disk")

    def committed(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if row.revision <= self._newest:
                text = f"{row.key} was written at {row.revision} after {self._newest}"
                self._world.breach("a revision never goes back", text)
            self._newest = row.revision
            expect, was = self._expected.get(row.revision), self._there.get(row.key, 0)
            if expect is not None and expect != was:
                text = f"{row.key} at {row.revision} was to replace {expect}, and replaced {was}"
                self._world.breach("a conditional write replaces what it was made from", text)
            if row.data is None:
                self._there.pop(row.key, None)
            else:
                self._there[row.key] = row.revision

    def opened(self, store: WitnessedStore) -> None:
        """A new life begins with all that was ever made durable, and goes on counting where the last one stopped."""
        disk = self._world.disk
        if store.revision != disk.revision or store._given != disk.revision:
            text = f"a life counts from {store.revision}; on disk is {disk.revision}"
            self._world.breach("a revision never goes back", text)
        for key, row in disk.present.items():
            found = store.get(key)
            if found is None or found.data != row.data:
                self._world.breach("acknowledged is durable", f"{key} of {row.revision} is on disk, and was not read")
        kept = sum(len(store.list(kind).entries) for kind in {key.kind for key in disk.present})
        if kept != len(disk.present):
            self._world.breach("nothing is read that was not written", f"{kept} objects of {len(disk.present)}")
