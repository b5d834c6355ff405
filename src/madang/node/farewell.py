"""The end of a pod: its last status, its object's deletion, what is forgotten on disk.

In: how it ends. Out: facts that say it is finished.
"""

import shutil
from typing import TYPE_CHECKING

from madang.node.kit import Kit
from madang.node.pod.phase import TERMINAL
from madang.ports.api import DeleteOptions
from madang.ports.errors import Conflict, NotFound, StatusError

if TYPE_CHECKING:
    from madang.node.worker import PodWorker


async def finish(kit: Kit, worker: "PodWorker", how: str) -> None:
    over = (worker.pod.get("status") or {}).get("phase") in TERMINAL
    if how in ("status", "delete") and not over:
        worker.show(final=True)
    elif how == "leave" and not over:
        worker.show()
    if how != "forget":
        await worker.writer.drain()
    if how == "delete":
        await _delete(kit, worker)
    await _clean(kit, worker, how)
    worker.facts.finished = True


async def _delete(kit: Kit, worker: "PodWorker") -> None:
    meta = worker.pod["metadata"]
    pause = 0.1
    while True:
        try:
            await kit.api.delete("pods", meta["namespace"], meta["name"], DeleteOptions(grace_s=0, uid=meta["uid"]))
            return
        except (NotFound, Conflict):
            return
        except StatusError:
            if worker.facts.leaving:  # the object stays, and is deleted by the next control
                return
            await kit.clock.sleep(pause)
            pause = min(pause * 2, 5.0)


async def _clean(kit: Kit, worker: "PodWorker", how: str) -> None:
    """Forget the starts, and what lies on disk for no one any more. Volumes outlive a mere `leave`, but for
    those in memory."""
    await worker.hand.containers.forget_all()
    if how == "leave":
        await kit.aside(lambda: kit.volumes.release(worker.uid))
    else:
        await kit.aside(lambda: kit.volumes.remove(worker.uid))
        await kit.aside(lambda: shutil.rmtree(worker.hand.folders.root, ignore_errors=True))
    if how in ("delete", "forget"):
        await kit.aside(lambda: shutil.rmtree(worker.hand.folders.logs, ignore_errors=True))
