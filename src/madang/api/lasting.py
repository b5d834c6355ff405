"""What a cluster always has stays: whatever of it is deleted is made anew at once.

In: the store's changes. Out: the objects of `always`, again. Runs until it is cancelled.
"""

import asyncio
import logging

from madang.api.always import ensure, objects
from madang.api.desk import Desk
from madang.kinds.furnishing import ACCOUNT, ROOT_CA
from madang.ports.errors import StatusError
from madang.ports.objects import Change, Key, Kind
from madang.store.model import StoreFailed

log = logging.getLogger("madang.api")
FURNITURE = frozenset({("serviceaccounts", ACCOUNT), ("configmaps", ROOT_CA)})  # of every namespace
AGAIN_S = 1.0


async def keep(desk: Desk, address: str, port: int) -> None:
    """`address` and `port`: as in `always.ensure`."""
    kept = {
        Key(kind, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        for kind, obj in objects(desk.settings, address, port)
    }
    lost = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for kind in {key.kind for key in kept} | {kind for kind, _ in FURNITURE}:
            group.create_task(_look(desk, kind, kept, lost))
        while True:
            await lost.wait()
            lost.clear()
            try:
                await ensure(desk, address, port)
            except (StatusError, StoreFailed) as refusal:
                log.warning("what a cluster always has is not all there: %s", refusal)
                lost.set()
                await desk.clock.sleep(AGAIN_S)


async def _look(desk: Desk, kind: Kind, kept: set[Key], lost: asyncio.Event) -> None:
    while True:
        watch = desk.store.watch(kind)
        try:
            while changes := await watch.next():
                if any(_missed(change, kept) for change in changes):
                    lost.set()
        finally:
            watch.close()
        lost.set()  # cut off: whatever may have gone meanwhile
        await desk.clock.sleep(AGAIN_S)


def _missed(change: Change, kept: set[Key]) -> bool:
    key = change.entry.key
    return change.type == "DELETED" and (key in kept or (key.kind, key.name) in FURNITURE)
