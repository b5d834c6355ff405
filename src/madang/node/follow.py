"""Follows one kind for ever: what is there, then what changes; after a gap, all of it again.

In: the API, a kind. Out: calls of `changed` (an object, or its last state and that it is gone) and, after each list,
of `listed` with all there is. Who is called looks at the state, never at the history: a change may come twice.
"""

import logging
from collections.abc import Callable, Sequence

from madang.ports.api import ListOptions, LocalApi
from madang.ports.clock import Clock
from madang.ports.errors import Expired, StatusError
from madang.ports.objects import Kind, Obj

log = logging.getLogger(__name__)
_PAUSE_S = 0.2

Changed = Callable[[Obj, bool], None]  # (object, gone)
Listed = Callable[[Sequence[Obj]], None]


async def follow(api: LocalApi, clock: Clock, kind: Kind, changed: Changed, listed: Listed | None = None) -> None:
    while True:
        try:
            page = await api.list(kind, None, ListOptions())
            present = [e.obj for e in page.entries]
            if listed is not None:
                listed(present)
            for obj in present:
                changed(obj, False)
            async for change in api.watch(kind, None, since=page.revision):
                if change.type != "BOOKMARK":
                    changed(change.entry.obj, change.type == "DELETED")
        except Expired:
            continue  # we were too slow: list again
        except StatusError as e:
            log.warning("watching %s: %s", kind, e)
            await clock.sleep(_PAUSE_S)
