"""The end of a pod: its last status, its object's deletion, what is forgotten on disk.

In: how it ends. Out: facts that say it is finished.
"""

import shutil

from madang.kinds.phase import ended
from madang.node.pod import spec
from madang.node.worker.status_board import StatusBoard
from madang.node.worker.work import PodWork
from madang.ports.api import DeleteOptions
from madang.ports.errors import Conflict, NotFound, StatusError


async def finish(work: PodWork, board: StatusBoard, how: str) -> None:
    over = ended(work.pod)
    if how in ("status", "delete") and not over:
        board.show(final=True)
    elif how == "leave" and not over:
        board.show()
    if how != "forget":
        await board.drain()
    if how == "delete":
        await _delete(work)
    await _clean(work, how)
    work.facts.finished = True


async def _delete(work: PodWork) -> None:
    meta, kit = work.pod["metadata"], work.kit
    pause = 0.1
    while True:
        try:
            await kit.api.delete("pods", meta["namespace"], meta["name"], DeleteOptions(grace_s=0, uid=meta["uid"]))
            return
        except (NotFound, Conflict):
            return
        except StatusError:
            if work.facts.leaving:  # the object stays, and is deleted by the next control
                return
            await kit.clock.sleep(pause)
            pause = min(pause * 2, 5.0)


async def _clean(work: PodWork, how: str) -> None:
    """Forget the starts, and what lies on disk for no one any more. Volumes outlive a mere `leave`, but for
    those in memory."""
    kit, folders = work.kit, work.folders
    await _forget_starts(work)
    if how == "leave":
        await kit.aside(lambda: kit.volumes.release(work.uid))
    else:
        await kit.aside(lambda: kit.volumes.remove(work.uid))
        await kit.aside(lambda: shutil.rmtree(folders.root, ignore_errors=True))
    if how in ("delete", "forget"):
        await kit.aside(lambda: shutil.rmtree(folders.logs, ignore_errors=True))


async def _forget_starts(work: PodWork) -> None:
    folders = work.folders
    for r in spec.roles(work.pod):
        for number in folders.numbers(r.name):
            await work.runtime.remove(folders.attempt(r.name, number))
        shutil.rmtree(folders.attempts(r.name), ignore_errors=True)
    work.chosen.forget()
