"""What must hold at every moment, as code: each witness sees every commit, and what it needs besides.

In: writes as they are asked for, acknowledged and made durable; lives; programs. Out: breaches, told to the world.
"""

from collections.abc import Sequence

import orjson

from madang.ports.journal import Row
from madang.ports.objects import Key, Obj
from madang.world.invariants.availability import Availability
from madang.world.invariants.durability import Durability
from madang.world.invariants.endpoints import Endpoints
from madang.world.invariants.jobs import Jobs
from madang.world.invariants.ownership import Ownership
from madang.world.invariants.places import Places
from madang.world.invariants.programs import Programs
from madang.world.invariants.stopping import Stopping
from madang.world.invariants.watching import Watching
from madang.world.life import Life, WitnessedStore
from madang.world.world import World


class Witnesses:
    def __init__(self, world: World) -> None:
        self._world = world
        self.present: dict[Key, Obj] = {}  # decoded, as of the last row seen
        self._durability = Durability(world)
        self._watching = Watching(world)
        self._programs = Programs(world)
        self._endpoints = Endpoints(world)
        self._of_objects = (
            Places(world),
            Availability(world),
            self._endpoints,
            Stopping(world),
            Ownership(world),
            Jobs(world),
            self._programs,
        )

    def asked(self, key: Key, revision: int, expect: int | None) -> None:
        self._durability.asked(key, revision, expect)

    def acknowledged(self, key: Key, revision: int) -> None:
        self._durability.acknowledged(key, revision)

    def committed(self, rows: Sequence[Row]) -> None:
        try:
            self._look(rows)
        except Exception as bug:  # ours: the store would take it for a fault of the disk
            self._world.breach("witnesses see", repr(bug))

    def _look(self, rows: Sequence[Row]) -> None:
        self._durability.committed(rows)
        for row in rows:
            if row.key.kind == "events" and self._world.trace is None:
                continue  # half of all rows, and nothing holds of them
            old = self.present.get(row.key)
            new = None if row.data is None else self._decoded(row.revision, row.data)
            if new is None:
                self.present.pop(row.key, None)
            else:
                self.present[row.key] = new
            if self._world.trace is not None:
                self._world.note(told(row, old, new))
            for witness in self._of_objects if row.key.kind != "events" else ():
                witness.committed(row, old, new, self.present)

    def _decoded(self, revision: int, data: bytes) -> Obj:
        """As the house itself will show it (`leaks` compares that with the bytes), or decoded here."""
        life = self._world.life
        known = life.store.decoded(revision) if life is not None and life.ready else None
        found: Obj = orjson.loads(data) if known is None else known
        return found

    def opened(self, store: WitnessedStore) -> None:
        """A life has read the disk: before it does anything, everything that must hold is looked at as a whole."""
        self._durability.opened(store)
        for witness in self._of_objects:
            witness.restarted(self.present)
        self._world.tally["checked"] += self._world.lives > 1

    def born(self, life: Life) -> None:
        self._watching.born(life)

    def polled(self) -> None:
        for witness in self._of_objects:
            witness.polled(self.present)

    def settled(self) -> None:
        self._watching.settled()
        for witness in self._of_objects:
            witness.settled(self.present)


def told(row: Row, old: Obj | None, new: Obj | None) -> str:
    """A commit as a line of the story."""
    word = "removed" if new is None else "created" if old is None else "changed"
    obj = new or old or {}
    more = ""
    if row.key.kind == "pods":
        status = obj.get("status") or {}
        ready = next((c["status"] for c in status.get("conditions") or () if c["type"] == "Ready"), "-")
        leaving = " leaving" if "deletionTimestamp" in obj["metadata"] else ""
        states = [next(iter(c.get("state") or {"-": 0})) for c in status.get("containerStatuses") or ()]
        more = f" {status.get('phase')} ready={ready} {states} on {obj['spec'].get('nodeName', '-')}{leaving}"
    elif row.key.kind in ("deployments.apps", "replicasets.apps"):
        status = obj.get("status") or {}
        has, are = status.get("replicas", 0), status.get("readyReplicas", 0)
        more = f" wants {obj['spec'].get('replicas')} has {has} ready {are}"
    elif row.key.kind == "events":
        more = f" {obj.get('reason')} {obj.get('message', '')[:100]}"
    return f"  r{row.revision} {word} {row.key.kind} {row.key.namespace}/{row.key.name}{more}"
