"""GET with watch: what happens to the objects of a selection, from a revision on.

In: the revision (none: the present state first, as ADDED). Out: batches of changes. An object that comes into the
selection is ADDED, one that leaves it is DELETED (shown as it was, under the revision of the change), as the API
server's watch cache does it. A watcher that is too slow is cut off: the stream ends, and its reader lists again.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence

import orjson

from madang.api import errors
from madang.api.desk import Desk
from madang.api.lists import not_from_the_future, page, revision
from madang.api.resources import Resource
from madang.api.selection import Selection, selection
from madang.ports.api import ListOptions
from madang.ports.objects import Change, Entry, Key, Obj
from madang.store.model import HistoryGone, Watch

BOOKMARK_EVERY_S = 60.0


class Shown:
    """An entry as a watcher must see it where that is not the stored one."""

    __slots__ = ("data", "key", "obj", "revision")

    def __init__(self, key: Key, revision: int, obj: Obj) -> None:
        self.key = key
        self.revision = revision
        self.obj = obj
        self.data = orjson.dumps(obj)


async def batches(
    desk: Desk,
    resource: Resource,
    namespace: str | None,
    *,
    labels: str = "",
    fields: str = "",
    since: str = "",
    bookmarks: bool = False,
    timeout_s: float | None = None,
    initial: bool = False,
) -> AsyncGenerator[Sequence[Change], None]:
    """Ends when the time is over or the watcher was cut off. `initial`: the present state first, closed by a
    bookmark (a streaming list)."""
    chosen = selection(resource, labels, fields)
    if chosen.namespace is not None and namespace is None and resource.row.namespaced:
        namespace = chosen.namespace
    start = revision(since)
    not_from_the_future(desk, start)
    first: list[Change] = []
    listed = not start or initial
    if listed:
        options = ListOptions(labels=labels, fields=fields)
        present = page(desk, resource, namespace, options)
        first = [Change("ADDED", entry) for entry in present.entries]
        start = int(present.revision)
        if initial and bookmarks:
            first.append(bookmark(resource, start, initial=True))
    try:
        watch = desk.store.watch(resource.row.id, namespace, since=start)
    except HistoryGone as gone:
        raise errors.expired(gone.asked, gone.oldest) from gone
    try:
        if listed:
            yield first  # also where it is empty: who waits for it hears that the watch stands
        async for found in _follow(desk, resource, watch, chosen, bookmarks, timeout_s):
            yield found
    finally:
        watch.close()


async def _follow(
    desk: Desk, resource: Resource, watch: Watch, chosen: Selection, bookmarks: bool, timeout_s: float | None
) -> AsyncIterator[Sequence[Change]]:
    until = None if timeout_s is None else desk.clock.monotonic_s() + timeout_s
    while True:
        wait, last = (BOOKMARK_EVERY_S if bookmarks else None), False
        if until is not None:
            left = until - desk.clock.monotonic_s()
            if left <= 0:
                return
            last = wait is None or left <= wait
            wait = left if last else wait
        try:
            changes = watch.ready()
            if not changes:  # else there is nothing to wait for, and no time to measure
                changes = await watch.next(wait)
        except TimeoutError:
            if last:
                return
            yield [bookmark(resource, desk.store.revision)]
            continue
        if not changes:
            return
        seen = changes if chosen.everything else _chosen(changes, chosen)
        if seen:
            yield seen


def _chosen(changes: Sequence[Change], chosen: Selection) -> list[Change]:
    found = []
    for change in changes:
        seen = _through(change, chosen)
        if seen is not None:
            found.append(seen)
    return found


def _through(change: Change, chosen: Selection) -> Change | None:
    was = change.before is not None and chosen.holds(change.before)
    if change.type == "DELETED":
        return change if was or (change.before is None and chosen.holds(change.entry)) else None
    is_ = chosen.holds(change.entry)
    if is_:
        return change if was == (change.type == "MODIFIED") else Change("MODIFIED" if was else "ADDED", change.entry)
    if was and change.before is not None:
        return Change("DELETED", left(change.before, change.entry.revision), change.before)
    return None


def left(before: Entry, at: int) -> Shown:
    """The last state that the watcher knew, under the revision in which it left the selection."""
    obj = before.obj
    return Shown(before.key, at, {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(at)}})


def bookmark(resource: Resource, at: int, *, initial: bool = False) -> Change:
    row = resource.row
    meta: Obj = {"resourceVersion": str(at)}
    if initial:
        meta["annotations"] = {"k8s.io/initial-events-end": "true"}
    obj = {"kind": row.kind, "apiVersion": row.api_version, "metadata": meta}
    return Change("BOOKMARK", Shown(Key(row.id, "", ""), at, obj))
