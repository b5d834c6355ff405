"""Takes away the folders of volumes that are deleted, and then lets the volumes go.

In: PersistentVolumes as they change. Out: folders gone, the finalizer taken off. Which folder it is follows from the
volume's name alone, so that no object's path can make this delete anything else; links in it are removed, never what
they lead to. A volume that is kept (`Retain`) loses its object only.
"""

import asyncio
import logging
import os
import shutil
from functools import partial
from pathlib import Path

from madang.kinds import claims as c
from madang.node.aside import Aside
from madang.node.events import Recorder
from madang.node.follow import follow
from madang.ports.api import LocalApi
from madang.ports.clock import Clock
from madang.ports.errors import Conflict, NotFound, StatusError
from madang.ports.objects import Obj

log = logging.getLogger(__name__)
_RETRY_S, _AGAIN_S = 5.0, 0.02


class Reclaim:
    """`folders` is the courtyard's place for volumes."""

    def __init__(self, api: LocalApi, clock: Clock, folders: Path, aside: Aside, events: Recorder) -> None:
        self._api, self._clock, self._folders, self._aside, self._events = api, clock, folders, aside, events
        self._waiting: dict[str, None] = {}
        self._woken = asyncio.Event()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(follow(self._api, self._clock, c.VOLUMES, self._changed))
            group.create_task(self._work())

    def _changed(self, volume: Obj, gone: bool) -> None:
        if not gone and to_go(volume):
            self._waiting[volume["metadata"]["name"]] = None
            self._woken.set()

    async def _work(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            for name in list(self._waiting):
                if not await self.reclaimed(name):
                    await self._clock.sleep(_RETRY_S)
                    self._woken.set()
                else:
                    self._waiting.pop(name, None)

    async def reclaimed(self, name: str) -> bool:
        """Whether there is nothing left to do for it."""
        volume = self._api.view.get(c.VOLUMES, "", name)
        if volume is None or not to_go(volume):
            return True
        place = c.folder_name(volume)
        try:
            if place and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
                await self._aside(partial(remove, self._folders / place))
            meta = volume["metadata"]
            left = [f for f in meta["finalizers"] if f != c.FOLDER]
            patch = {"metadata": {"finalizers": left or None, "resourceVersion": meta["resourceVersion"]}}
            await self._api.patch(c.VOLUMES, "", name, patch)
        except NotFound:
            return True
        except Conflict:  # somebody else let go of it at the same moment: look again
            await self._clock.sleep(_AGAIN_S)
            return await self.reclaimed(name)
        except (OSError, StatusError) as fault:
            log.warning("the folder of volume %s is not deleted: %s", name, fault)
            self._events.emit(volume, "Warning", "VolumeFailedDelete", str(fault))
            return False
        return True


def to_go(volume: Obj) -> bool:
    """Deleted, used by nobody any more, and we have been asked."""
    meta = volume["metadata"]
    going = "deletionTimestamp" in meta and c.FOLDER in (meta.get("finalizers") or ())
    return going and (volume.get("status") or {}).get("phase") != "Bound"


def remove(folder: Path) -> None:
    """With all that is in it. What lies below a link that took its place stays. Raises OSError."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder, onerror=_opened)


def _opened(call: object, path: str, fault: tuple[type, BaseException, object]) -> None:
    """Programs close folders to their own owner, who may open them again."""
    parent = os.path.dirname(path)
    if not isinstance(fault[1], PermissionError) or os.path.islink(parent) or os.path.islink(path):
        raise fault[1]
    for one in (parent, path):
        if os.path.isdir(one):
            os.chmod(one, 0o700)
    if os.path.isdir(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)
