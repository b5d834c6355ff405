"""Watches: going on where they were, listing again when too old, telling what vanished meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from madang.loops.watcher import Watcher
from madang.ports.errors import Expired, Unavailable
from madang.ports.objects import Change, Entry, Key
from tests.loops.test_queue import VirtualClock, settle


class Thing:
    """An entry."""

    def __init__(self, name: str, revision: int) -> None:
        self.key, self.revision, self.data = Key("things", "n", name), revision, b"{}"
        self.obj: dict[str, Any] = {"metadata": {"name": name, "namespace": "n", "uid": name}}


def change(type_: Any, name: str, revision: int) -> Change:
    entry: Entry = Thing(name, revision)
    return Change(type_, entry)


class Script:
    """An API whose watches are written down: what each yields, and how it ends."""

    def __init__(self, *watches: tuple[list[Change], Exception | None], present: set[str]) -> None:
        self._watches, self._present, self.since = list(watches), present, []  # type: ignore[var-annotated]

    @property
    def view(self) -> "Script":
        return self

    def get(self, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
        return {} if name in self._present else None

    async def watch(self, kind: str, *, since: str, bookmarks: bool) -> AsyncIterator[Change]:
        self.since.append(since)
        if not self._watches:
            await asyncio.Event().wait()
        changes, end = self._watches.pop(0)
        for one in changes:
            yield one
        if end is not None:
            raise end


def heard(script: Script) -> list[str]:
    found: list[str] = []

    async def run() -> None:
        clock = VirtualClock()
        watcher = Watcher(script, clock)  # type: ignore[arg-type]
        watcher.listen("things", lambda c: found.append(f"{c.type} {c.entry.key.name}{'*' if c.before else ''}"))
        task = asyncio.ensure_future(watcher.run("things"))
        for _ in range(5):
            await settle()
            await clock.pass_(1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    return found


def test_it_goes_on_from_the_newest_revision() -> None:
    script = Script(
        ([change("ADDED", "a", 7), change("ADDED", "b", 3)], None),
        ([change("MODIFIED", "a", 8), change("BOOKMARK", "", 20)], None),
        ([change("DELETED", "b", 21)], None),
        present=set(),
    )
    assert heard(script) == ["ADDED a", "ADDED b", "MODIFIED a*", "DELETED b*"]
    assert script.since == ["", "7", "20", "21"]


def test_what_vanished_in_a_gap_is_told_and_what_stayed_is_not() -> None:
    script = Script(
        ([change("ADDED", "a", 1), change("ADDED", "b", 2), change("ADDED", "c", 3)], Expired("too old")),
        ([change("ADDED", "a", 1), change("ADDED", "c", 9)], None),
        present={"a", "c"},
    )
    assert heard(script) == ["ADDED a", "ADDED b", "ADDED c", "DELETED b*", "ADDED c*"]
    assert script.since == ["", "", "9"]


def test_a_refused_watch_is_tried_again() -> None:
    script = Script(([], Unavailable("not now")), ([change("ADDED", "a", 1)], None), present=set())
    assert heard(script) == ["ADDED a"]
