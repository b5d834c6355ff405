"""Random histories against a model of a few lines: what every reader, watcher and later life of the store must see.

One rule is one step of a writer, of the disk (held, released, failing) or of a watcher; invariants look at
reads after each step.
"""

import asyncio
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from madang.ports.objects import Change, Key
from madang.store.model import StaleRevision, StoreFailed
from madang.store.watchers import Cursor
from tests.store.conftest import encode, memory_house

KEYS = [Key("pods", namespace, name) for namespace in ("one", "two") for name in ("a", "b", "c")]
NODES = ["n1", "n2"]
State = dict[Key, tuple[int, str]]


class Histories(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.house = memory_house()
        self.store = self.call(self.open())
        self.committed: State = {}
        self.accepted: State = {}
        self.states: dict[int, State] = {0: {}}  # after each committed revision
        self.in_flight: list[tuple[int, State, asyncio.Future[Any]]] = []
        self.given = 0
        self.burned: set[int] = set()
        self.held = False
        self.watches: list[tuple[Cursor, str | None, State]] = []

    async def open(self) -> Any:
        return self.house.open()

    def call(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(coroutine)

    @rule(key=st.sampled_from(KEYS), node=st.sampled_from(NODES), stale=st.booleans(), remove=st.booleans())
    def write(self, key: Key, node: str, stale: bool, remove: bool) -> None:
        there = self.accepted[key][0] if key in self.accepted else 0
        expect = there + 1 if stale else there
        operation = self.store.remove if remove else self.store.put
        try:
            done = operation(key, encode(node=node), expect=expect)
        except StaleRevision as error:
            refused = error
            done = None
        if done is None:
            assert stale or (remove and not there)
            assert (refused.newest.revision if refused.newest else 0) == there
            return
        assert not stale and (there or not remove)
        self.given += 1
        self.accepted = {k: v for k, v in self.accepted.items() if k != key}
        if not remove:
            self.accepted[key] = (self.given, node)
        self.in_flight.append((self.given, self.accepted, done))

    @precondition(lambda self: not self.held)
    @rule()
    def hold(self) -> None:
        self.house.writer.hold()
        self.held = True

    @rule(failing=st.booleans())
    def settle(self, failing: bool) -> None:
        """Everything in flight is committed, or fails together with what stands on top of it."""
        self.house.journal.failing = failing
        self.house.writer.release()
        self.held = False
        done = self.call(self.wait())
        self.house.journal.failing = False
        for (revision, state, _), result in zip(self.in_flight, done, strict=True):
            if failing:
                assert isinstance(result, StoreFailed)
                self.burned.add(revision)
            else:
                assert result.revision == revision
                self.committed = self.states[revision] = state
        self.in_flight.clear()
        self.accepted = self.committed

    async def wait(self) -> list[Any]:
        return await asyncio.gather(*(done for _, _, done in self.in_flight), return_exceptions=True)

    @rule(namespace=st.sampled_from([None, "one"]), back=st.integers(0, 5))
    def watch(self, namespace: str | None, back: int) -> None:
        since = [r for r in sorted(self.states) if r >= self.store.oldest][-1 - back :][0]
        self.watches.append((self.store.watch("pods", namespace, since=since), namespace, dict(self.states[since])))

    @rule()
    def read_watches(self) -> None:
        for cursor, namespace, state in self.watches:
            for change in cursor._read():
                self.follow(state, change)
            assert self.part(state, namespace) == self.part(self.committed, namespace)

    def follow(self, state: State, change: Change) -> None:
        entry = change.entry
        assert entry.revision not in self.burned
        before = state.pop(entry.key, None)
        assert (change.type == "ADDED") == (before is None)
        assert (change.before.revision if change.before else None) == (before[0] if before else None)
        if change.type != "DELETED":
            state[entry.key] = (entry.revision, entry.obj["node"])

    @precondition(lambda self: not self.in_flight)
    @rule()
    def restart(self) -> None:
        newest = max(self.states)
        self.call(self.store.close())
        self.watches.clear()
        self.store = self.call(self.open())
        assert self.store.revision == newest
        self.states = {newest: self.committed}
        self.given = newest  # burned ones were seen by nobody
        self.burned.clear()
        self.held = False

    @staticmethod
    def part(state: State, namespace: str | None) -> State:
        return {k: v for k, v in state.items() if namespace in (None, k.namespace)}

    @invariant()
    def reads_see_what_is_committed(self) -> None:
        for revision in list(self.states)[-3:]:
            state = self.states[revision]
            for node in NODES:
                for namespace in (None, "one"):
                    listing = self.store.list("pods", namespace, terms=[("node", node)], at=revision)
                    here = self.part(state, namespace)
                    assert [e.key for e in listing.entries] == sorted(k for k, v in here.items() if v[1] == node)
            assert [(e.key, e.revision) for e in self.store.list("pods", at=revision).entries] == [
                (k, state[k][0]) for k in sorted(state)
            ]
        for key in KEYS:
            for entry, state in ((self.store.get(key), self.committed), (self.store.newest(key), self.accepted)):
                assert (entry.revision if entry else None) == (state[key][0] if key in state else None)

    def teardown(self) -> None:
        self.house.writer.release()
        self.call(self.wait())
        self.call(self.store.close())
        self.loop.close()


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
